"""Transcripts of group talk, whoever wrote them: `detect` says what a file is, `read` gives its values and a report.

The neutral values are in `values`, what formats there are and how lines of platforms look in two TOML files.
"""

from groupops.importers.transcripts.detect import Detected, detect
from groupops.importers.transcripts.facts import (
    chosen,
    group_of,
    interchange,
    opened_transcript,
    stream_facts,
)
from groupops.importers.transcripts.merge import Merge, Watch, keyed
from groupops.importers.transcripts.participants import Match, Matching, Review, match
from groupops.importers.transcripts.reading import Reading, read
from groupops.importers.transcripts.values import (
    Asked,
    Chat,
    Joined,
    Left,
    Named,
    Noticed,
    Party,
    Recalled,
    Renamed,
    Reply,
    Report,
    Said,
    Seen,
    Value,
)
from groupops.importers.transcripts.words import Format, formats

__all__ = [
    "Asked",
    "Chat",
    "Detected",
    "Format",
    "Joined",
    "Left",
    "Match",
    "Matching",
    "Merge",
    "Named",
    "Noticed",
    "Party",
    "Reading",
    "Recalled",
    "Renamed",
    "Reply",
    "Report",
    "Review",
    "Said",
    "Seen",
    "Value",
    "Watch",
    "chosen",
    "detect",
    "formats",
    "group_of",
    "interchange",
    "keyed",
    "match",
    "opened_transcript",
    "read",
    "stream_facts",
]
