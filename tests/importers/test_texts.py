"""Texts are read as they were meant: clocks of twelve hours, names with brackets, words that look like headings."""

from __future__ import annotations

import base64
import quopri
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupops.errors import ImportFailed
from groupops.importers.transcripts import Asked, Joined, Said
from groupops.importers.transcripts.desk import hinted, hour_of
from groupops.importers.transcripts.notices import noticed
from tests.importers.conftest import Write, said, values_of

HEAD = (
    "消息记录（此消息记录为文本格式，不支持重新导入）\n\n"
    + "=" * 64
    + "\n消息分组:群\n"
    + "=" * 64
    + "\n消息对象:青竹\n"
    + "=" * 64
)
MAIL = '微信群"青竹"的聊天记录如下:\n\n—————  2026-3-7  —————\n'


# — QQ —


@given(hour=st.integers(1, 12), minute=st.integers(0, 59), side=st.sampled_from(["AM", "PM", "上午", "下午"]))
@example(hour=12, minute=0, side="AM")
@example(hour=12, minute=0, side="PM")
def test_a_clock_of_twelve_hours_is_read_like_one_of_twenty_four(hour: int, minute: int, side: str) -> None:
    afternoon = side in ("PM", "下午")

    assert hour_of(hour, side) == hour % 12 + 12 * afternoon


@pytest.mark.parametrize(
    ("written", "hour"),
    [("中午12", 12), ("中午1", 13), ("凌晨1", 1), ("晚上11", 23), ("早上8", 8), ("下午16", 16)],
)
def test_parts_of_the_day_are_read_as_people_mean_them(written: str, hour: int) -> None:
    side, number = written[:2], int(written[2:])

    assert hour_of(number, side) == hour


def test_an_hour_may_have_one_digit(write: Write) -> None:
    path = write(f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n早\n\n2023-01-01 10:00:00 米粒(10002)\n好\n")

    assert said(path) == [("09:05:03", "10001", "早"), ("10:00:00", "10002", "好")]


@given(name=st.text("甲乙()（）<>【x1", min_size=1, max_size=8))
@example(name="(B)")
@example(name="米(粒)(12345)")
@example(name="a<b@c.d>")
def test_of_the_brackets_of_a_name_the_last_ones_hold_the_id(name: str) -> None:
    match = re.fullmatch(r"【[^【】]{1,16}】(.*)", name)
    bare = match[1] if match else name

    rest = f"{name}(10001)"
    values = _of_text(f"{HEAD}\n\n2023-01-01 9:05:03 {rest}\n早\n")

    assert [value.sender.id for value in values] == ["10001"]
    assert values[0].sender.name == bare.strip()


def _of_text(text: str) -> list[Said]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="go-") as folder:
        path = Path(folder) / "talk"
        path.write_text(text, "utf-8")
        return [value for value in values_of(path)[0] if isinstance(value, Said)]


BODY = st.sampled_from(
    [
        "2023-01-01 11:59:59 这行是正文",
        "2006-01-02 15:04:05",
        "开会 18:30",
        "消息对象:别的群",
        "==========",
        "",
        "早",
        "发自我的 iPhone 的照片",
        "—————  2026-3-7  —————x",
    ]
)


@given(bodies=st.lists(st.lists(BODY, min_size=1, max_size=4), min_size=1, max_size=6))
def test_words_that_look_like_a_heading_stay_words(bodies: list[list[str]]) -> None:
    spoken = [[line for line in body if line] or ["早"] for body in bodies]
    blocks = [
        f"2023-01-01 10:00:{number:02} 松果(2000{number})\n" + "\n".join(body)
        for number, body in enumerate(spoken)
    ]

    values = _of_text(f"{HEAD}\n\n" + "\n\n".join(blocks) + "\n")

    assert [value.sender.id for value in values] == [f"2000{number}" for number in range(len(bodies))]
    assert [value.text for value in values] == ["\n".join(body).rstrip() for body in spoken]


def test_two_talks_in_one_file_are_two_talks(write: Write) -> None:
    first = f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n早\n\n"
    second = HEAD.replace("青竹", "红梅") + "\n\n2023-01-01 8:00:00 米粒(10002)\n好\n"
    path = write(first + second)

    values, report = values_of(path)

    assert [(value.chat, value.doubt) for value in values] == [("青竹", ""), ("红梅", "")]
    assert [value.chat for value in values_of(path, Asked(chat="红梅"))[0]] == ["红梅"]
    assert list(report.chats) == ["青竹", "红梅"]


def test_a_member_cannot_write_a_line_of_the_platform(write: Write) -> None:
    path = write(
        f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n米粒加入本群。\n\n2023-01-01 9:06:00 系统消息(10000)\n米粒加入本群。\n"
    )

    values, _ = values_of(path)

    assert [type(value) for value in values] == [Said, Joined]


def test_whoever_speaks_without_a_name_is_nobody(write: Write) -> None:
    path = write(f"{HEAD}\n\n2023-01-01 9:05:03 匿名(80000000)\n早\n")

    (value,), report = values_of(path)

    assert isinstance(value, Said)
    assert value.sender.id == ""
    assert report.doubts["shared_id"] == 1


def test_a_name_that_is_only_the_number_is_the_one_known_before(write: Write) -> None:
    path = write(f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n早\n\n2023-01-01 9:06:03 10001(10001)\n好\n")

    values, _ = values_of(path)

    assert [value.sender.name for value in values if isinstance(value, Said)] == ["松果", "松果"]


def test_a_line_in_another_alphabet_is_a_fault_with_its_number(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("talk") / "talk"
    text = f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n".encode() + b"\xff\xfe\xff\n" + "好\n".encode()
    path.write_bytes(text)

    _, report = values_of(path)

    assert report.faults == ["line 10: byte 0 is not utf-8: invalid start byte"]


# — WeChat —


def test_a_line_with_a_time_is_no_sender_before_the_message_above_has_words(write: Write) -> None:
    path = write(f"{MAIL}\n松果 08:02\n\n开会 18:30\n\n米粒 09:00\n好\n")

    assert said(path) == [("08:02:00", "name:松果", "开会 18:30"), ("09:00:00", "name:米粒", "好")]


def test_a_line_with_an_earlier_time_is_no_sender(write: Write) -> None:
    path = write(f"{MAIL}\n松果 08:02\n通知\n\n开会 07:30\n\n米粒 09:00\n好\n")

    assert said(path)[0] == ("08:02:00", "name:松果", "通知\n\n开会 07:30")


def test_a_line_that_may_be_a_sender_is_for_a_human_to_look_at(write: Write) -> None:
    path = write(f"{MAIL}\n松果 08:02\n通知\n\n松果 08:30\n早\n\n开会 18:30\n不要迟到\n")

    values, _ = values_of(path)
    known, _ = values_of(path, Asked(known=frozenset({"开会"})))

    assert [value.doubt for value in values] == ["", "", "line"]
    assert [value.doubt for value in known] == ["", "", ""]


def test_footers_and_marks_of_quotation_are_no_words(write: Write) -> None:
    quoted = "".join(f"> {line}\n" for line in f"{MAIL}\n松果 08:02\n早\n\n发自我的 iPhone".split("\n"))

    assert said(write(quoted + "\n顺祝商祺\n")) == [("08:02:00", "name:松果", "早")]


@pytest.mark.parametrize(
    ("heading", "chat", "private"),
    [
        ('微信群"青竹"的聊天记录如下:', "青竹", False),
        ("微信群“青竹”的聊天记录如下：", "青竹", False),
        ('"松果"和"米粒"的聊天记录如下:', "松果 + 米粒", True),
        ("松果 和 米粒 在微信上的聊天记录如下，请查收。", "松果 + 米粒", True),
    ],
)
def test_every_heading_of_a_mail_is_known(heading: str, chat: str, private: bool, write: Write) -> None:
    _, report = values_of(write(f"{heading}\n\n—————2026-4-3—————\n\n松果  下午4:22\n\n好的\n"))

    assert list(report.chats) == [chat]
    assert report.chats[chat].private is private


PAGE = (
    "<html><body><div>微信群&quot;青竹&quot;的聊天记录如下:</div><div style='text-align:center'>"
    "<span style='color:#b8b8b8'>—————  2026-3-7  —————</span></div>"
    "<div><span><b>松果 08:02<br></b></span>开会 18:30<br><br></div>"
    "<div><span><b>米粒 08:03<br></b></span>好 &amp; 知道了<br>第二行<br><br></div></body></html>"
)


def test_in_a_page_only_bold_lines_are_senders(write: Write) -> None:
    assert said(write(PAGE)) == [
        ("08:02:00", "name:松果", "开会 18:30"),
        ("08:03:00", "name:米粒", "好 & 知道了\n第二行"),
    ]


def test_a_tag_that_was_cut_off_joins_no_two_names_to_one(write: Write) -> None:
    cut = PAGE.replace("<b>米粒 08:03<br></b>", "<b>阿岚 08:03<b\n<div><span><b>米粒 08:03<br></b></span>")

    values, _ = values_of(write(cut))

    assert {value.sender.name for value in values if isinstance(value, Said)} == {"松果", "阿岚", "米粒"}


def test_of_a_mail_the_page_is_read_rather_than_the_text(write: Write) -> None:
    mail = (
        "From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n--x\n"
        f'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{MAIL}\n某人 01:00\n错\n--x\n'
        f'Content-Type: text/html; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n{PAGE}\n--x--\n'
    )

    values, report = values_of(write(mail))

    assert report.format.id == "wechat-html"
    assert [value.sender.name for value in values if isinstance(value, Said)] == ["松果", "米粒"]


@pytest.mark.parametrize("alphabet", ["utf-8", "gb18030"])
@pytest.mark.parametrize("encoded", ["8bit", "base64", "quoted-printable"])
def test_a_page_is_read_however_the_mail_packs_it(encoded: str, alphabet: str, tmp_path: Path) -> None:
    packed = {"8bit": bytes, "base64": base64.encodebytes, "quoted-printable": quopri.encodestring}
    head = (
        "From: a@example.com\nMIME-Version: 1.0\n"
        f'Content-Type: text/html; charset="{alphabet}"\nContent-Transfer-Encoding: {encoded}\n\n'
    )
    path = tmp_path / "talk.eml"
    path.write_bytes(head.encode() + packed[encoded](PAGE.encode(alphabet)))

    values, report = values_of(path)

    assert report.format.id == "wechat-html"
    assert [value.sender.name for value in values if isinstance(value, Said)] == ["松果", "米粒"]


def test_a_copied_message_may_hold_a_time_of_its_own(write: Write) -> None:
    path = write(
        "松果\n2026年03月07日 08:02\n会议改到\n2026年03月09日 10:00\n请准时\n\n米粒\n2026年03月07日 08:03\n好\n"
    )

    assert said(path) == [
        ("08:02:00", "name:松果", "会议改到\n2026年03月09日 10:00\n请准时"),
        ("08:03:00", "name:米粒", "好"),
    ]


def test_what_anybody_can_type_is_never_certain() -> None:
    assert hinted("[红包] 恭喜发财") == ("red_packet", (), "kind")
    assert hinted("图片12（可在附件中查看）") == ("image", ("图片12",), "kind")
    assert hinted("[红包]\n第二行") == ("text", (), "")


# — lines of the platform —


@pytest.mark.parametrize(
    ("text", "event", "who", "by"),
    [
        ('"松果"邀请"阿岚、米粒"加入了群聊', "Joined", ["阿岚", "米粒"], "松果"),
        ('你邀请"阿岚"加入了群聊', "Joined", ["阿岚"], ""),
        ('" 阿岚"通过扫描"松果"分享的二维码加入群聊', "Joined", ["阿岚"], "松果"),
        ('"阿岚"通过扫描你分享的二维码加入群聊 ', "Joined", ["阿岚"], ""),
        ('"阿岚"通过扫描二维码加入群聊', "Joined", ["阿岚"], ""),
        ('"阿岚"加入了群聊', "Joined", ["阿岚"], ""),
        ('你将"阿岚"移出了群聊', "Left", ["阿岚"], ""),
        ('"松果"修改群名为“新名”', "Renamed", [], "松果"),
        ('"松果" 撤回了一条消息', "Recalled", [], "松果"),
        ('"松果"领取了你的红包', "Noticed", [], ""),
        ("收到红包，请在手机上查看", "Noticed", [], ""),
        ('"松果"邀请"阿岚(wxid_alan)"加入了群聊', "Joined", ["阿岚"], "松果"),
    ],
)
def test_lines_of_wechat_say_who_did_what(text: str, event: str, who: list[str], by: str) -> None:
    value = noticed("wechat", text, {"row": 1, "at": None})

    assert type(value).__name__ == event
    assert [one.name for one in getattr(value, "who", ())] == who
    assert (getattr(value, "by", None) or _Nobody).name == by


class _Nobody:
    name = ""


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("米粒加入本群。", "Joined"),
        ("松果邀请米粒加入了群聊", "Joined"),
        ("米粒退出了群聊", "Left"),
        ("米粒被松果移出群聊", "Left"),
        ("松果 撤回了 米粒 的消息", "Recalled"),
        ("米粒撤回了一条消息", "Recalled"),
        ("松果修改了群名称为新名", "Renamed"),
        ("米粒被管理员禁言10分钟", "Noticed"),
    ],
)
def test_lines_of_qq_say_what_happened(text: str, event: str) -> None:
    assert type(noticed("qq", text, {"row": 1, "at": None})).__name__ == event


# — chatlog —


def test_times_without_a_day_need_one(write: Write) -> None:
    path = write("松果(wxid_songguo) 09:05:03\n早\n\n")

    with pytest.raises(ImportFailed, match="say of which day it is"):
        values_of(path)


def test_whoever_is_called_like_the_owner_of_the_file_has_at_least_that_name(write: Write) -> None:
    path = write("松果(wxid_songguo) 2026-01-01 09:05:03\n早\n\n(我) 2026-01-01 09:06:03\n好\n")

    assert [name for _, name, _ in said(path)] == ["wxid_songguo", "name:我"]


def test_a_name_that_is_nothing_but_a_title_is_a_name(write: Write) -> None:
    assert said(write(f"{HEAD}\n\n2023-01-01 9:05:03 【管理员】\n早\n")) == [
        ("09:05:03", "name:【管理员】", "早")
    ]


def test_a_line_that_names_nobody_is_a_fault(write: Write) -> None:
    path = write("2026-01-01 09:05:03 '松果'\n早\n\n2026-01-01 09:06:03 ''\n好\n")

    values, report = values_of(path)

    assert len(values) == 1
    assert report.faults == ["row 4: it names no sender"]


def test_an_amount_of_text_that_no_message_has_is_a_fault(write: Write) -> None:
    path = write(f"{HEAD}\n\n2023-01-01 9:05:03 松果(10001)\n{'早' * 70_000}\n")

    values, report = values_of(path)

    assert values == []
    assert report.faults == ["line 9: its text has 70000 characters, at most 65536 are read"]
