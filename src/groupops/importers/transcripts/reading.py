"""Reads a transcript of any known format: finds out what it is, gives its values one by one, and reports on the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from groupops.errors import ImportFailed
from groupops.importers.transcripts import (
    chatlab_values,
    chatlog,
    foreign,
    onebot,
    qce,
    qq_text,
    wechat_csv,
    wechat_text,
    wecom,
    weflow,
)
from groupops.importers.transcripts.desk import Desk
from groupops.importers.transcripts.detect import Detected, detect
from groupops.importers.transcripts.ids import SeenIds
from groupops.importers.transcripts.values import Asked, Party, Report, Said, Seen, Value

MAX_SENDERS = 250_000
"""Senders of the largest group that is read; a file with more of them is none."""
MAX_NAMES = 50
"""Names that are remembered of each sender."""

READERS: Final[Mapping[str, Callable[[Desk], Iterator[Value]]]] = {
    "chatlab-jsonl": chatlab_values.read_lines,
    "chatlab-json": chatlab_values.read_document,
    "qce-json": qce.read_document,
    "qce-chunked": qce.read_pieces,
    "qq-txt": qq_text.read_txt,
    "qq-mht": qq_text.read_mht,
    "wechat-mail": wechat_text.read_mail,
    "wechat-html": wechat_text.read_mail,
    "wechat-ios-copy": wechat_text.read_ios_copy,
    "chatlog-json": chatlog.read_json,
    "chatlog-webhook": chatlog.read_json,
    "chatlog-csv": chatlog.read_csv,
    "chatlog-txt": chatlog.read_txt,
    "wecom-archive": wecom.read_archive,
    "weflow": weflow.read_document,
    "echotrace": weflow.read_document,
    "weflow-txt": wechat_text.read_weflow_txt,
    "onebot11": onebot.read_history,
    "wechatmsg-v1": wechat_csv.read_wechatmsg_v1,
    "wechatmsg-v2": wechat_csv.read_wechatmsg_v2,
    "pywxdump": wechat_csv.read_pywxdump,
    "telegram": foreign.read_telegram,
    "discord": foreign.read_discord,
}
"""Format → what reads it."""


NOBODY = Party().key
"""What a sender without an id and without a name would be known by."""


class Reading:
    """A transcript that is read once, value by value; `report` is whole when it has been read to its end.

    Args:
        detected: what it is.
        asked: what the operator says of it.
        name: the file's name for people.
        noting: False where the report is known from an earlier reading; then it tells only of faults and what was
            dropped.
    """

    def __init__(self, detected: Detected, asked: Asked, name: str, *, noting: bool = True) -> None:
        found = detected.format
        self.report = Report(
            name=name,
            format=found,
            sure=detected.sure,
            encoding=detected.source.encoding,
            timezone=asked.timezone,
            platform=found.platform,
            precision=found.precision,
            identity=found.identity,
            tells=found.tells,
        )
        self.desk = Desk(detected.source, asked, self.report)
        self._ids = SeenIds()
        self._noting = noting

    def __iter__(self) -> Iterator[Value]:
        """Give the values as they stand in the file.

        Raises:
            ImportFailed: the file is broken as a whole; a single row that cannot be read is a fault of the report.
        """
        report, asked = self.report, self.desk.asked
        noting = self._noting
        for value in READERS[report.format.id](self.desk):
            if asked.chat and value.chat in report.chats and not self._meant(value.chat):
                report.drop("other_chat")
            elif isinstance(value, Said) and value.message_id and not self._ids.add(_key(value)):
                report.drop("duplicate")
            elif isinstance(value, Said) and not value.sender.id and value.sender.key == NOBODY:
                report.fault(f"row {value.row}", "it names no sender")
            else:
                if noting:
                    self._note(value)
                yield value

    def lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Read the heading of ChatLab JSONL, then give number, offset and bytes of each line behind it.

        Raises:
            ImportFailed: the heading is wrong.
        """
        return chatlab_values.behind_heading(self.desk)

    def _meant(self, chat: str) -> bool:
        asked = self.desk.asked.chat
        talk = self.report.chats.get(chat)
        return asked == chat or (talk is not None and talk.name == asked)

    def _note(self, value: Value) -> None:
        report, at = self.report, value.at
        report.kept += 1
        if report.first is None or report.last is None:
            report.first = report.last = at
        elif at > report.last:
            report.last = at
        elif at < report.first:
            report.first = at
        if value.doubt:
            report.doubts[value.doubt] += 1
        talk = report.chats.get(value.chat)
        if talk is not None:
            talk.rows += 1
        if not isinstance(value, Said):
            report.kinds[type(value).__name__.lower()] += 1
            return
        report.kinds[value.kind] += 1
        self._note_sender(value)

    def _note_sender(self, value: Said) -> None:
        senders, key = self.report.senders, value.sender.id or value.sender.key
        seen = senders.get(key)
        if seen is None:
            if len(senders) >= MAX_SENDERS:
                raise ImportFailed(
                    self.report.name, [f"it has more than {MAX_SENDERS} senders; this is no group"]
                )
            seen = senders[key] = Seen(party=value.sender)
        seen.messages += 1
        name = value.sender.card or value.sender.name
        if name in seen.names or len(seen.names) < MAX_NAMES:
            seen.names[name] += 1


def _key(value: Said) -> str | tuple[str, str]:
    return (value.chat, value.message_id) if value.chat else value.message_id


def read(path: Path, asked: Asked | None = None) -> Reading:
    """Find out what a transcript is and make it ready to be read.

    Args:
        path: a file, or the folder of an export in pieces.
        asked: what the operator says of it.

    Returns:
        The values, to be iterated over once, with their report.

    Raises:
        ImportFailed: it is no transcript that can be read; the text says what to do.
        ConfigError: the timezone that was asked for is unknown.
    """
    return Reading(detect(path), asked or Asked(), path.name)
