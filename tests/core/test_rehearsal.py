"""A policy is rehearsed on history: the same flow, nothing reaches anybody, and the same report every time."""

import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from groupops import (
    DeleteMessage,
    Evidence,
    Manifest,
    MessagePosted,
    Mute,
    Offence,
    Pardon,
    Rule,
    Severity,
    hookimpl,
)
from groupops.errors import ConfigError, ImportFailed, PackError
from groupops.plugin import Schedule
from groupops.rehearsal import Report, rehearse, run_rehearsal, show
from groupops.rehearsal.view import moment
from groupops.shelf import PackShelf, parse_pack

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = int(datetime(2025, 3, 10, 9, 0, tzinfo=SHANGHAI).timestamp())
HOUR = 3600

PACK = """
[pack]
id = "strict"
title = "严"
effective = 2030-01-01
[plugins]
enabled = ["rude"]
[clause."rude.word"]
ref = "篇一 二"
"""
MILD = PACK.replace('"strict"', '"mild"').replace('["rude"]', "[]")

Write = Callable[..., Path]


def rude(event: Any) -> Offence | Pardon | None:
    if not isinstance(event, MessagePosted) or "坏" not in event.text:
        return None
    if "作文" in event.text:
        return Pardon(reason="引用")
    at = event.text.index("坏")
    return Offence(
        rule="rude.word",
        reason="用语不当",
        severity=Severity.MEDIUM,
        ladder="soft",
        auto="mute" if "很坏" in event.text else "remind",
        contain=(
            DeleteMessage(group_id=event.group_id, message_id=event.message_id, account=event.account),
            Mute(group_id=event.group_id, account=event.account, span=timedelta(minutes=10)),
        )
        if "很坏" in event.text
        else (),
        evidence=(Evidence(what="word", quote="坏", start=at, end=at + 1),),
        keep_text="机密" not in event.text,
    )


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("groupops_rude")
    made.__spec__ = ModuleSpec("groupops_rude", None)
    made.manifest = Manifest(  # type: ignore[attr-defined]
        title="测试",
        hears=frozenset({"message_posted", "member_joined", "time_came"}),
        rules=(Rule(id="rude.word", title="测试"),),
        schedules=(Schedule(job="noon", at=lambda _: ["12:00"]),),
    )
    rude.__name__ = "judge"
    made.judge = hookimpl(rude)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "groupops_rude", made)
    return made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*said: tuple[str, int, str], header: dict[str, Any] | None = None, roles: bool = True) -> Path:
        head = {
            "_type": "header",
            "chatlab": {"version": "0.0.2", "exportedAt": 0},
            "meta": {"name": "测试群", "platform": "wechat", "type": "group", "groupId": "1@chatroom"},
            "groupops": {"tz": "Asia/Shanghai"},
        } | (header or {})
        people = {who for who, _, _ in said} | {"boss"}
        role = [{"id": "owner"}] if roles else []
        members = [
            {"_type": "member", "platformId": who, "accountName": who, "roles": role if who == "boss" else []}
            for who in sorted(people)
        ]
        rows = [
            {
                "_type": "message",
                "platformMessageId": f"m{number}",
                "sender": who,
                "accountName": who,
                "timestamp": MONDAY + after,
                "type": 0,
                "content": text,
            }
            for number, (who, after, text) in enumerate(said)
        ]
        path = tmp_path / "talk.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in [head, *members, *rows]), encoding="utf-8")
        return path

    return write


async def rehearsed(path: Path, pack: str = "strict", **more: Any) -> Report:
    shelf = PackShelf([parse_pack(PACK), parse_pack(MILD)])
    return await rehearse(path, [pack], plugins=(), extra=["groupops_rude"], shelf=shelf, **more)


async def test_an_offence_of_the_past_is_a_case_with_its_clause(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "早"), ("wang", 60, "坏")))

    [finding] = report.findings
    assert (finding.message_id, finding.rule, finding.clause) == ("m1", "rude.word", "篇一 二")
    assert (finding.name, finding.text, finding.quotes) == ("wang", "坏", ("坏",))
    assert finding.at == datetime(2025, 3, 10, 9, 1, tzinfo=SHANGHAI)
    assert report.rows == 5


async def test_a_pack_that_is_not_in_force_yet_is_rehearsed_as_if_it_were(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏")))

    assert report.booked
    assert report.findings[0].opened == "effective"


async def test_only_the_first_reminder_goes_without_a_human(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏"), ("wang", HOUR, "坏事"), ("wang", 2 * HOUR, "坏人")))

    assert [finding.waits for finding in report.findings] == [False, True, True]
    [standing] = report.standings
    assert (standing.person, standing.ladder, standing.strikes, standing.waiting) == ("wang", "soft", 1, 2)


async def test_what_nobody_decides_lapses_on_the_way(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏"), ("wang", HOUR, "坏事"), ("li", 100 * HOUR, "早")))

    assert [finding.ended for finding in report.findings] == ["effective", "lapsed"]


async def test_a_burst_is_one_case_of_several_hits(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏"), ("wang", 5, "坏坏")))

    assert len(report.findings) == 1
    assert [hit.case for hit in report.hits] == [1, 1]


async def test_what_would_have_been_done_is_counted_and_reaches_nobody(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "很坏")))

    assert report.actions == {"contain:delete_message": 1, "contain:mute": 1, "contain:reply": 1}


async def test_who_is_protected_is_only_proposed_to_humans(write: Write) -> None:
    report = await rehearsed(write(("boss", 0, "很坏")))

    assert report.findings[0].waits
    assert "contain:mute" not in report.actions


async def test_a_steward_of_the_roster_is_protected_and_called_by_his_name(
    write: Write, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("姓名,角色,微信号\n王芳,管理员,wang\n", encoding="utf-8")

    report = await rehearsed(write(("wang", 0, "很坏")), roster=roster)

    [finding] = report.findings
    assert finding.name == "王芳"
    assert finding.waits
    assert report.bound == 1


async def test_a_message_that_was_spoken_up_for_is_no_hit_and_is_counted(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "作文里写坏人")))

    assert report.hits == ()
    assert report.pardons == {"引用": 1}


async def test_a_text_that_may_not_be_kept_is_not_in_the_report(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏,机密")))

    assert "机密" not in json.dumps(report.facts_of(), ensure_ascii=False)


async def test_the_same_input_has_the_same_digest_and_another_one_another(write: Write) -> None:
    said = [("wang", 0, "坏"), ("li", HOUR, "很坏"), ("li", 2 * HOUR, "坏")]
    first = await rehearsed(write(*said))
    second = await rehearsed(write(*said))
    third = await rehearsed(write(*said[:2]))

    assert first.digest == second.digest
    assert first.digest != third.digest


async def test_against_another_pack_it_says_what_is_newly_hit_and_no_longer_hit(write: Write) -> None:
    path = write(("wang", 0, "坏"), ("wang", HOUR, "早"))

    stricter = await rehearsed(path, against="mild")
    milder = await rehearsed(path, "mild", against=["strict"])

    assert [hit.message_id for hit in stricter.against.newly] == ["m0"]  # type: ignore[union-attr]
    assert [hit.message_id for hit in milder.against.no_longer] == ["m0"]  # type: ignore[union-attr]
    assert milder.findings == ()


async def test_only_the_span_asked_for_is_replayed(write: Write) -> None:
    path = write(("wang", 0, "坏"), ("li", HOUR, "坏"), ("chen", 2 * HOUR, "坏"))
    begun = datetime.fromtimestamp(MONDAY, SHANGHAI)

    report = await rehearsed(path, since=begun + timedelta(minutes=1), until=begun + timedelta(hours=2))

    assert [finding.name for finding in report.findings] == ["li"]
    assert report.dropped == {"outside": 2}


async def test_names_are_never_held_to_account(write: Write) -> None:
    report = await rehearsed(write(("wang", 0, "坏"), header={"groupops": {"identity": "name"}}))

    assert (len(report.hits), report.findings, report.booked) == (1, (), False)
    assert "identity" in {remark.key for remark in report.remarks}


async def test_what_the_transcript_cannot_tell_is_said(write: Write) -> None:
    path = write(("wang", 0, "早"), header={"groupops": {"precision": "min"}}, roles=False)

    keys = {remark.key for remark in (await rehearsed(path)).remarks}

    assert {"precision", "no_joins", "roles_nor_roster", "recalled_texts", "nobody_decides"} <= keys


async def test_a_private_talk_is_refused(write: Write) -> None:
    meta = {"name": "王", "platform": "wechat", "type": "private"}

    with pytest.raises(ConfigError, match="talk of two"):
        await rehearsed(write(("wang", 0, "早"), header={"meta": meta}))


async def test_a_transcript_without_a_message_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="no message"):
        await rehearsed(write())


async def test_an_unknown_pack_is_named(write: Write) -> None:
    with pytest.raises(PackError, match="strikt"):
        await rehearsed(write(("wang", 0, "早")), "strikt")


async def test_a_broken_line_stops_it_unless_one_is_lenient(write: Write) -> None:
    path = write(("wang", 0, "坏"))
    path.write_text(path.read_text("utf-8") + "\n{oops", encoding="utf-8")

    with pytest.raises(ImportFailed, match="line 5"):
        await rehearsed(path)
    report = await rehearsed(path, lenient=True)

    assert len(report.skipped) == 1
    assert len(report.findings) == 1


async def test_a_plugin_that_fails_is_named_in_the_report(write: Write, module: ModuleType) -> None:
    def judge(event: Any) -> None:
        raise RuntimeError("broken")

    module.judge = hookimpl(judge)  # type: ignore[attr-defined]

    report = await rehearsed(write(("wang", 0, "早")))

    assert report.failures == ("rude.judge: 1 (RuntimeError: broken)",)


async def test_progress_is_told_to_the_end(write: Write) -> None:
    told: list[tuple[int, int]] = []

    await rehearsed(
        write(("wang", 0, "早")), against="mild", progress=lambda done, of: told.append((done, of))
    )

    assert told[-1] == (2, 2)


async def test_the_report_reads_as_tables(write: Write) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(show(await rehearsed(write(("wang", 0, "坏[/]"), ("wang", HOUR, "坏")), against="mild")))

    text = console.export_text()

    for words in (
        "按规则",
        "按人",
        "按日",
        "各阶梯的最终状态",
        "会执行的动作",
        "新命中",
        "rude.word",
        "坏[/]",
        "摘要 sha256:",
    ):
        assert words in text


def test_the_command_prints_one_json_object(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(("wang", 14 * HOUR, "还有人吗"))

    code = run_rehearsal(path, ["s18"], as_json=True)
    told = json.loads(capsys.readouterr().out)

    assert code == 0
    assert told["findings"][0]["rule"] == "quiet_hours.rest"
    assert len(told["digest"]) == 64


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01", "2025-02-30T08:00"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--since"):
        moment(text, SHANGHAI, "--since")


def test_the_last_day_is_replayed_whole() -> None:
    assert moment("2025-03-10", SHANGHAI, "--until", end=True) == datetime(2025, 3, 11, tzinfo=SHANGHAI)
    assert moment("2025-03-10T08:00", SHANGHAI, "--since") == datetime(2025, 3, 10, 8, tzinfo=SHANGHAI)
    assert moment("", SHANGHAI, "--since") is None


@pytest.mark.needs_data
async def test_a_month_of_real_texts_is_rehearsed_twice_alike(shared_data: Path) -> None:
    folder = shared_data / "transcripts"

    first, second = [
        await rehearse(folder / "month_of_real_texts.chatlab.jsonl", ["s18"], roster=folder / "roster.csv")
        for _ in range(2)
    ]

    assert first.digest == second.digest
    assert first.facts == 10_140
    assert first.findings
