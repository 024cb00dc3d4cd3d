"""A file is what is in it; what is none of the known formats is refused with words that help."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from groupops.errors import ConfigError, ImportFailed
from groupops.importers.transcripts import Asked, detect, read
from tests.importers.conftest import Write, values_of

MAIL = '微信群"青竹读书会"的聊天记录如下:\n\n—————  2026-3-7  —————\n\n松果 08:02\n早\n'


def test_the_name_of_a_file_decides_nothing(write: Write) -> None:
    assert detect(write(MAIL, name="talk.json")).format.id == "wechat-mail"


@pytest.mark.parametrize("text", ["", "  \n\r\n ", "\ufeff"])
def test_an_empty_file_is_said_to_be_empty(text: str, write: Write) -> None:
    with pytest.raises(ImportFailed, match="it is empty"):
        detect(write(text))


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="cannot be read: No such file"):
        detect(tmp_path / "none")


def test_a_packed_file_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("talk.txt", MAIL)

    with pytest.raises(ImportFailed, match="unpack it"):
        detect(path)


def test_an_export_without_account_numbers_is_refused_with_advice(write: Write) -> None:
    with pytest.raises(ImportFailed, match="export JSON with the same program"):
        detect(
            write("[QQChatExporter V5 / https://example.com]\n\n松果:\n时间: 2026-01-01 09:05:03\n内容: 早\n")
        )


def test_bytes_of_no_alphabet_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk"
    path.write_bytes(b"\xff\x00\x81\x20\xfe\xff\xff" * 100)

    with pytest.raises(ImportFailed, match="neither UTF-8 nor UTF-16 nor GB18030"):
        detect(path)


def test_a_line_of_talk_in_a_file_without_heading_is_an_unsure_find(write: Write) -> None:
    assert detect(write("2026-01-01 9:05:03 松果(10001)\n早\n")).sure is False


def test_what_stands_behind_long_statistics_is_still_found(write: Write) -> None:
    senders = [{"uid": f"u_{number}", "name": "某" * 20} for number in range(3000)]
    manifest = {
        "metadata": {"name": "QQChatExporter"},
        "chatInfo": {"name": "群", "type": "group"},
        "statistics": {"senders": senders},
        "chunked": {"chunks": []},
    }

    assert detect(write(json.dumps(manifest))).format.id == "qce-chunked"


def test_a_document_is_known_by_keys_behind_its_messages_too(write: Write) -> None:
    told = {"messages": [], "note": '\\"]}{[' * 50, "session": {"wxid": "1@chatroom", "type": "群聊"}}

    assert detect(write(json.dumps(told))).format.id == "echotrace"


def test_an_empty_answer_is_a_talk_without_messages(write: Write) -> None:
    values, report = values_of(write("null"))

    assert (values, report.rows, report.format.id) == ([], 0, "chatlog-json")


def test_an_unknown_timezone_is_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="timezone 'Asia/Nowhere' is unknown"):
        read(write(MAIL), Asked(timezone="Asia/Nowhere"))


@pytest.mark.parametrize("place", ["../secret.jsonl", "/etc/passwd", "C:\\secret", "a/../../b"])
def test_a_piece_outside_of_its_folder_is_refused(place: str, tmp_path: Path) -> None:
    manifest = {
        "chatInfo": {"name": "群", "type": "group"},
        "metadata": {},
        "chunked": {"chunks": [{"relativePath": place, "count": 1}]},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")

    with pytest.raises(ImportFailed, match="lies outside the folder"):
        list(read(tmp_path))


def test_a_missing_piece_and_a_wrong_count_are_faults(tmp_path: Path) -> None:
    message = {
        "id": "1",
        "timestamp": 1767229503000,
        "sender": {"uin": "10001", "nickname": "松果"},
        "type": "text",
        "content": {"text": "早"},
    }
    pieces = [{"file": "one.jsonl", "messages": 2}, {"file": "two.jsonl", "messages": 1}]
    manifest = {"chatInfo": {"name": "群", "type": "group"}, "chunked": {"chunks": pieces}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "one.jsonl").write_text(json.dumps(message) + "\n", "utf-8")

    values, report = values_of(tmp_path)

    assert len(values) == 1
    assert report.faults == [
        "one.jsonl: has 1 messages, the manifest says 2",
        "two.jsonl: the piece is not there",
    ]
