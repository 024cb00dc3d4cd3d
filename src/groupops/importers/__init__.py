"""Reads what other programs wrote: chat transcripts and rosters; every reader says which line is wrong and why.

What stands here of rosters is open to plugins, as `groupops` itself is.
"""

from groupops.importers.roster import Roster, SamePerson, read_people
from groupops.importers.roster_diff import Diff, Proposal, compare
from groupops.importers.roster_faults import Fault, RosterFailed
from groupops.importers.roster_view import (
    diff_json,
    diff_page,
    diff_text,
    faults_json,
    faults_page,
    roster_json,
    roster_text,
)
from groupops.importers.roster_write import columns_named, exportable, people_page, template_pages
from groupops.importers.sheet_files import Page, save
from groupops.importers.wechat_xml import WeChatPayload, WeChatXmlError
from groupops.importers.wechat_xml import read_payload as read_wechat_payload

__all__ = [
    "Diff",
    "Fault",
    "Page",
    "Proposal",
    "Roster",
    "RosterFailed",
    "SamePerson",
    "WeChatPayload",
    "WeChatXmlError",
    "columns_named",
    "compare",
    "diff_json",
    "diff_page",
    "diff_text",
    "exportable",
    "faults_json",
    "faults_page",
    "people_page",
    "read_people",
    "read_wechat_payload",
    "roster_json",
    "roster_text",
    "save",
    "template_pages",
]
