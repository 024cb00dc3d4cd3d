"""Broken transcripts by the thousand: each is refused in clear words or read right; none crashes, none makes up a member."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from groupops.errors import GroupOpsError
from groupops.importers.transcripts import Asked, Joined, Left, Said, Value, opened_transcript, read
from groupops.importers.transcripts.values import KINDS
from tests.importers.conftest import place_of
from tests.support.soak import Soak

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
TABLES: dict[str, Any] = tomllib.loads((ROOT / "tests/importers/expected.toml").read_text("utf-8"))
FORMATS = sorted({table["format"] for table in TABLES.values()})
ASKED = Asked(day=date(2026, 1, 1), earliest=date(1800, 1, 1), latest=date(2101, 1, 1))

MUTATIONS = 5_000
"""Broken files of each format in a full soak; a twentieth of them in any other run."""
TALKS = 1_000
"""Messages with words put into them, of each format."""
REPLAYED = 25
"""Every so manieth file is also turned into facts."""

HOSTILE: tuple[bytes, ...] = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n\n", b'"', b"\\", b"{", b"}]", b"[" * 200, b",", b"<", b"&#0;",
    b"\xe2\x80\xa8", b"\xf0\x9f\x92\xa9", b"1e999", b"NaN", b"-1", b"99999999999999999999999", b"\\ud800",
    b"(10001)", b"2026-02-30 25:61:61 ", "消息对象:别的群\n".encode(), b"\r\n--x\r\n", b"=" * 64,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**63, 2**80, "", " ", "\x00", "x" * 300, [], {}, [[]], [None], {"a": 1}, "\ud7ff", 0.5,
)  # fmt: skip
TALK = (
    "2023-01-01 11:59:59 这行是正文",
    "2023-01-01 11:59:59",
    "小明加入了群聊",
    '"小明"邀请"小红"加入了群聊',
    "[红包] 恭喜发财",
    "[CQ:at,qq=all]",
    "小明 撤回了一条消息",
    "> 引用",
    "—————",
    "\u2028小明(99999)",
)
"""What a member may write, and what must make nobody up."""

Dice = random.Random
UNSEEN = re.compile("[\\s\\x00\\u2028\\ufeff\\ufffd]+")
TAGS = (re.compile(r"<[^<>]*>"), re.compile(r"<[/!?a-zA-Z][^>]*>"))
"""What looks like markup, and what a browser takes for it."""
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


# — breaking —


def flip(raw: bytes, dice: Dice) -> bytes:
    at = dice.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]


def cut(raw: bytes, dice: Dice) -> bytes:
    return raw[: dice.randrange(len(raw))]


def leave_out(raw: bytes, dice: Dice) -> bytes:
    start = dice.randrange(len(raw))
    return raw[:start] + raw[start + dice.randrange(1, 60) :]


def repeat(raw: bytes, dice: Dice) -> bytes:
    start = dice.randrange(len(raw))
    end = start + dice.randrange(1, 200)
    return raw[:end] + raw[start:end] + raw[end:]


def put_in(raw: bytes, dice: Dice) -> bytes:
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + dice.choice(HOSTILE) + raw[at:]


def shuffle_lines(raw: bytes, dice: Dice) -> bytes:
    lines = raw.split(b"\n")
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def leave_lines_out(raw: bytes, dice: Dice) -> bytes:
    lines = raw.split(b"\n")
    del lines[dice.randrange(len(lines))]
    return b"\n".join(lines)


def change_value(raw: bytes, dice: Dice) -> bytes:
    """Put a wrong value somewhere into JSON; what is no JSON is broken in another way."""
    try:
        document: Any = json.loads(raw)
    except ValueError:
        return put_in(flip(raw, dice), dice)
    places = list(_places(document))
    if not places:
        return flip(raw, dice)
    holder, key = dice.choice(places)
    holder[key] = dice.choice(VALUES)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(pairs):
        yield node, key
        yield from _places(value)


BREAKS: tuple[Callable[[bytes, Dice], bytes], ...] = (
    flip, cut, leave_out, repeat, put_in, shuffle_lines, leave_lines_out, change_value, change_value,
)  # fmt: skip


def change_line_value(raw: bytes, dice: Dice) -> bytes:
    """Put a wrong value into one line of JSON."""
    lines = raw.split(b"\n")
    number = dice.randrange(len(lines))
    lines[number] = change_value(lines[number], dice) if lines[number].strip() else b"{}"
    return b"\n".join(lines)


# — looking —


def names_in(values: list[Value]) -> Iterator[str]:
    """Every id and name a reader gave for somebody who spoke, came or went."""
    for value in values:
        if isinstance(value, Said):
            yield from (value.sender.id, value.sender.name, value.sender.card)
        elif isinstance(value, Joined | Left):
            for party in value.who:
                yield from (party.id, party.name)


def check(path: Path, raw: bytes, *, replayed: bool) -> None:
    """Read a broken file; whatever comes of it must be true of what stands in it."""
    refused = ""
    try:
        reading = read(path, ASKED)
        values = list(reading)
    except GroupOpsError as error:
        refused = str(error)
    if refused:
        assert path.name in refused or "manifest.json" in refused
        return
    report = reading.report
    assert report.kept == len(values)
    assert report.rows >= report.kept
    assert len(report.faults) == report.faulty
    plain = raw.decode(report.encoding, "replace")
    for value in values:
        assert datetime(1799, 12, 31, tzinfo=UTC) < value.at < datetime(2101, 1, 2, tzinfo=UTC)
        assert not isinstance(value, Said) or (value.kind in KINDS and value.sender.key not in ("", "name:"))
    for name in set(names_in(values)):
        assert name in plain or _bare(name) in _text(plain), f"{name!r} stands nowhere in the file"
    if replayed:
        _replay(path)


def _text(text: str) -> str:
    """Give the text of a file without blanks and without what readers leave out, escapes and markup undone."""
    for written, sign in (
        ('\\"', '"'),
        ('""', '"'),
        ("\\\\", "\\"),
        ("\\n", ""),
        ("\\r", ""),
        ("\\t", ""),
        ("\\b", "\b"),
        ("\\f", "\f"),
    ):
        text = f"{text}\n{text.replace(written, sign)}"
    unescaped = ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    shown = html.unescape(_bare(f"{text}\n{unescaped}"))  # what nobody sees is left out before markup is read
    bared = [one for tag in TAGS for one in (tag.sub("", shown), html.unescape(tag.sub("", unescaped)))]
    return _bare("\n".join((unescaped, shown, *bared)))


def _bare(text: str) -> str:
    """Leave out what is blank, and what programs leave in texts and nobody sees."""
    return UNSEEN.sub("", text)


def _replay(path: Path) -> None:
    try:
        with opened_transcript(path, lenient=True, asked=ASKED) as transcript:
            facts = list(transcript.replay())
    except GroupOpsError:
        return  # several groups, or none: said when it is opened
    assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)
    assert len({fact.id for fact in facts}) == len(facts)


def _files(shared: Path, format_: str) -> list[tuple[str, bytes]]:
    """Give the files of a format: of a folder, its piece."""
    names = [name for name in sorted(TABLES) if TABLES[name]["format"] == format_]
    paths = [place_of(name, shared) for name in names]
    return [(path.name, path.read_bytes()) for path in paths if path.is_file()]


# — the soak —


@pytest.mark.parametrize("format_", FORMATS)
def test_a_broken_file_is_refused_or_read_right(
    format_: str, shared_data: Path, tmp_path: Path, soak: Soak
) -> None:
    if format_ == "qce-chunked":
        _break_pieces(shared_data / "transcripts/examples/qce_chunked", tmp_path, soak)
        return
    files, dice = _files(shared_data, format_), soak.random()
    lined = format_ in ("chatlab-jsonl", "wecom-archive")
    path = tmp_path / "talk"
    for turn in range(soak.rounds(MUTATIONS if soak.full else MUTATIONS // 2)):
        _, raw = files[turn % len(files)]
        for _ in range(dice.choice((1, 1, 2, 4))):
            broken = dice.choice((*BREAKS, change_line_value) if lined else BREAKS)
            raw = broken(raw, dice) if raw else raw
        path.write_bytes(raw)
        check(path, raw, replayed=not turn % REPLAYED)


def _break_pieces(folder: Path, tmp_path: Path, soak: Soak) -> None:
    dice = soak.random()
    manifest = (folder / "manifest.json").read_bytes()
    piece = (folder / "chunks/c000001.jsonl").read_bytes()
    (tmp_path / "chunks").mkdir()
    for turn in range(soak.rounds(MUTATIONS if soak.full else MUTATIONS // 2)):
        head, body = manifest, piece
        if dice.random() < 0.4:
            head = dice.choice(BREAKS)(head, dice)
        else:
            body = dice.choice((*BREAKS, change_line_value))(body, dice)
        (tmp_path / "manifest.json").write_bytes(head)
        (tmp_path / "chunks/c000001.jsonl").write_bytes(body)
        check(tmp_path, head + body, replayed=not turn % REPLAYED)


TEXTS = ("qq-txt", "wechat-mail", "wechat-ios-copy", "weflow-txt", "chatlog-txt")
LINED = ("chatlab-jsonl", "wecom-archive", "qce-chunked")
PAGES = ("qq-mht", "wechat-html")
SHEETS = ("chatlog-csv", "wechatmsg-v1", "wechatmsg-v2", "pywxdump")
SPOKEN = {"content", "text", "msg", "raw_message"}


@pytest.mark.parametrize("format_", FORMATS)
def test_whatever_a_member_writes_makes_nobody_up(
    format_: str, shared_data: Path, tmp_path: Path, soak: Soak
) -> None:
    dice, path, kept = soak.random(), tmp_path, tmp_path
    if format_ == "qce-chunked":
        folder = shared_data / "transcripts/examples/qce_chunked"
        (tmp_path / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
        (tmp_path / "chunks").mkdir()
        kept = tmp_path / "chunks/c000001.jsonl"
        files = [(folder / "chunks/c000001.jsonl").read_bytes()]
    else:
        path = kept = tmp_path / "talk"
        files = [raw for _, raw in _files(shared_data, format_)]
    spoken = [raw for raw in files if _talked(raw, dice, format_)]
    assert spoken
    for turn in range(soak.rounds(TALKS if soak.full else TALKS // 2)):
        raw = spoken[turn % len(spoken)]
        kept.write_bytes(raw)
        before = _people(path)
        written = _talked(raw, dice, format_)
        kept.write_bytes(written)
        assert _people(path) == before, written.decode("utf-8", "replace")


def _people(path: Path) -> tuple[list[str], list[str]]:
    values = list(read(path, ASKED))
    came = [one.id or one.name for value in values if isinstance(value, Joined | Left) for one in value.who]
    return [value.sender.key for value in values if isinstance(value, Said)], came


def _talked(raw: bytes, dice: Dice, format_: str) -> bytes:
    """Put words of talk behind the words of a message; nothing where none of the known words stand."""
    talk = dice.choice(TALK)
    if format_ in TEXTS:
        return _talked_lines(raw, dice, talk)
    if format_ in PAGES:
        return _talked_page(raw, dice, talk)
    if format_ in SHEETS:
        return _talked_sheet(raw, dice, talk)
    if format_ in LINED:
        lines = raw.splitlines()
        changed = [
            (at, _talked_json(one, dice, talk)) for at, one in enumerate(lines) if one.startswith(b"{")
        ]
        at, line = dice.choice([(at, one) for at, one in changed if one] or [(0, b"")])
        return b"\n".join((*lines[:at], line, *lines[at + 1 :])) if line else b""
    return _talked_json(raw, dice, talk)


def _talked_lines(raw: bytes, dice: Dice, talk: str) -> bytes:
    lines = _decoded(raw).replace("\r\n", "\n").split("\n")
    spoken = [at for at, line in enumerate(lines) if line.strip() in WORDS]
    if not spoken:
        return b""
    lines.insert(dice.choice(spoken) + 1, talk)
    return "\n".join(lines).encode()


def _decoded(raw: bytes) -> str:
    if raw.startswith(b"\xff\xfe"):
        return raw.decode("utf-16")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _talked_page(raw: bytes, dice: Dice, talk: str) -> bytes:
    page = raw.decode()
    spoken = [f"{mark}{word}<" for mark in (">", "<br>") for word in WORDS if f"{mark}{word}<" in page]
    if not spoken:
        return b""
    words = dice.choice(sorted(spoken))
    return page.replace(words, f"{words[:-1]}<br>{html.escape(talk)}<", 1).encode()


def _talked_sheet(raw: bytes, dice: Dice, talk: str) -> bytes:
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    cells = [(row, at) for row in rows for at, cell in enumerate(row) if cell.split("\n")[-1] in WORDS]
    if not cells:
        return b""
    row, at = dice.choice(cells)
    row[at] += f"\n{talk}"
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows(rows)
    return sheet.getvalue().encode()


def _talked_json(raw: bytes, dice: Dice, talk: str) -> bytes:
    document: Any = json.loads(raw)
    places = [
        (holder, key)
        for holder, key in _places(document)
        if key in SPOKEN and isinstance(holder[key], str) and holder[key] in WORDS
    ]
    if not places:
        return b""
    holder, key = dice.choice(places)
    holder[key] += f"\n{talk}"
    return json.dumps(document, ensure_ascii=False).encode()


WORDS = frozenset(
    {
        "新年打卡",
        "#第三章",
        "收到",
        "早上好",
        "今天第三章打卡",
        "好的",
        "早",
        "大家新年好",
        "今天开始打卡",
        "你好",
        "TCG",
        "TEST",
    }
)
"""Words members of the shared files say."""
