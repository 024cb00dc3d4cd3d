"""A rehearsal takes any transcript that is known, and says what that format cannot tell."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from groupops.errors import ConfigError, ImportFailed
from groupops.importers.transcripts import Asked
from groupops.rehearsal import rehearse
from tests.importers.conftest import Write

MAIL = '微信群"青竹"的聊天记录如下:\n\n—————  2026-3-7  —————\n\n松果 08:02\n你这个傻逼\n\n米粒 08:03\n早\n'
ONLY = ("moderation",)


async def test_names_are_nobody_one_could_hold_anything_against(write: Write) -> None:
    report = await rehearse(write(MAIL), ["s18"], plugins=ONLY)

    assert (report.group, report.rows, report.facts) == ("wechat:name:青竹", 2, 2)
    assert report.booked is False
    assert {"identity", "precision", "doubts"} <= {remark.key for remark in report.remarks}
    assert len(report.hits) == 1


async def test_a_month_told_in_another_format_is_judged_alike(shared_data: Path, tmp_path: Path) -> None:
    month = (shared_data / "transcripts/month_of_real_texts.chatlab.jsonl").read_text("utf-8").splitlines()
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\n".join(month[:400]) + "\n", "utf-8")
    wide = tmp_path / "wide"
    wide.write_bytes(lines.read_text("utf-8").encode("gb18030"))

    one = await rehearse(lines, ["s18"], plugins=ONLY)
    other = await rehearse(wide, ["s18"], plugins=ONLY)

    assert one.hits
    assert [hit.message_id for hit in one.hits] == [hit.message_id for hit in other.hits]
    assert one.members == other.members


async def test_a_talk_of_two_is_no_group(shared_data: Path) -> None:
    path = shared_data / "transcripts/examples/wechat_mail_private.txt"

    with pytest.raises(ConfigError, match="is a talk of two"):
        await rehearse(path, ["s18"], plugins=ONLY)


async def test_times_without_a_day_are_of_the_day_that_is_named(shared_data: Path) -> None:
    path = shared_data / "transcripts/examples/chatlog.txt"

    report = await rehearse(path, ["s18"], plugins=ONLY, asked=Asked(day=date(2026, 1, 2)))

    assert report.first is not None
    assert f"{report.first:%Y-%m-%d %H:%M:%S}" == "2026-01-01 09:05:03"  # the month and day stand there


async def test_a_file_that_is_no_transcript_stops_it(write: Write) -> None:
    with pytest.raises(ImportFailed, match="no transcript this program knows"):
        await rehearse(write("no talk at all\n"), ["s18"], plugins=ONLY)
