"""What programs write beyond the examples: own messages, several talks, raw XML, codes in texts, and what they leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groupops import Role
from groupops.importers.transcripts import Asked, Joined, Left, Party, Recalled, Renamed, Said
from tests.importers.conftest import Write, said, values_of

SECOND = 1767229503


def qce(**more: Any) -> dict[str, Any]:
    return {
        "id": "75",
        "seq": "881",
        "timestamp": SECOND * 1000 + 5,
        "sender": {
            "uid": "u_a",
            "uin": "10001",
            "name": "小松",
            "nickname": "松果",
            "groupCard": "",
            "remark": "小松",
        },
        "type": "text",
        "content": {"text": "早", "elements": [{"type": "text", "data": {"text": "早"}}]},
        **more,
    }


def qce_file(*messages: Any) -> str:
    head = {"name": "青竹", "type": "group", "peerUid": "900001", "selfUin": "10001"}
    return json.dumps({"metadata": {"name": "QQChatExporter"}, "chatInfo": head, "messages": messages})


def test_what_somebody_calls_a_friend_is_not_read(write: Write) -> None:
    (value,), report = values_of(write(qce_file(qce())))

    assert isinstance(value, Said)
    assert (value.sender.id, value.sender.name) == ("10001", "松果")
    assert value.at.microsecond == 5_000
    assert (report.group_id, report.me) == ("900001", "10001")


def test_a_wallet_of_qq_is_a_red_packet_without_an_amount(write: Write) -> None:
    wallet = {"text": "[红包]", "elements": [{"type": "system", "data": {"text": "钱包/红包消息"}}]}

    (value,), _ = values_of(write(qce_file(qce(content=wallet))))

    assert isinstance(value, Said)
    assert (value.kind, value.doubt) == ("red_packet", "")
    assert value.red_packet is not None
    assert value.red_packet.amount_fen is None


def test_a_message_that_was_recalled_says_so(write: Write) -> None:
    (value,), _ = values_of(write(qce_file(qce(recalled=True))))

    assert isinstance(value, Said)
    assert value.recalled is True


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"timestamp": "gestern"}, "timestamp is"),
        ({"timestamp": True}, "timestamp is true"),
        ({"content": 7}, "content is 7, expected an object"),
        ({"sender": {"uin": "0", "uid": ""}}, "expected one with uin or uid"),
        ({"timestamp": 12}, "its time is 1970-01-01"),
    ],
)
def test_a_message_that_cannot_be_read_is_named_and_the_others_are_read(
    broken: dict[str, Any], why: str, write: Write
) -> None:
    values, report = values_of(write(qce_file(qce(id="1"), qce(**broken), qce(id="3"))))

    assert len(values) == 2
    assert report.faults[0].startswith("message 2: ")
    assert why in report.faults[0]


def test_a_document_that_ends_early_gives_what_came_before(write: Write) -> None:
    whole = qce_file(qce(id="1"), qce(id="2"), qce(id="3"))

    values, report = values_of(write(whole[: whole.rindex("881")]))

    assert len(values) == 2
    assert report.faults[0].startswith("after item 2 (line 1, byte ")


def test_ids_longer_than_a_double_are_kept_whole(write: Write) -> None:
    (value,), _ = values_of(write(qce_file(qce(id="7500000000000000001"))))

    assert isinstance(value, Said)
    assert value.message_id == "7500000000000000001"


# — chatlog —


def chatlog(**more: Any) -> dict[str, Any]:
    return {
        "seq": SECOND * 1000 + 3,
        "time": "2026-01-01T09:05:03+08:00",
        "talker": "1@chatroom",
        "talkerName": "青竹",
        "isChatRoom": True,
        "sender": "wxid_a",
        "senderName": "松果",
        "isSelf": False,
        "type": 1,
        "subType": 0,
        "content": "早",
        **more,
    }


def test_the_exporting_account_may_have_no_id_of_its_own(write: Write) -> None:
    path = write(json.dumps([chatlog(sender="", senderName="", isSelf=True)]))

    values, report = values_of(path, Asked(me=Party(id="wxid_me", name="我自己")))
    nobody, faulty = values_of(path)

    assert [(value.sender.id, value.sender.name) for value in values if isinstance(value, Said)] == [
        ("wxid_me", "我自己")
    ]
    assert report.faults == []
    assert (nobody, faulty.faulty) == ([], 1)


def test_order_within_a_second_is_kept(write: Write) -> None:
    (value,), _ = values_of(write(json.dumps([chatlog()])))

    assert isinstance(value, Said)
    assert value.order == 3


def test_a_place_nobody_can_be_at_is_none(write: Write) -> None:
    (value,), _ = values_of(write(json.dumps([chatlog(type=48, contents={"x": "95.0", "y": "120"})])))

    assert isinstance(value, Said)
    assert (value.kind, value.location) == ("location", None)


def test_a_group_that_was_renamed_says_by_whom(write: Write) -> None:
    row = chatlog(type=10000, sender="系统消息", content='"松果(wxid_a)"修改群名为“红梅”')

    (value,), _ = values_of(write(json.dumps([row])))

    assert isinstance(value, Renamed)
    assert (value.name, value.by and value.by.id) == ("红梅", "wxid_a")


# — CSV —

V1 = "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender\n"
PYWX = "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n"


def test_raw_xml_in_a_cell_is_read(write: Write) -> None:
    place = '<msg><location x=""30.0"" y=""120.0"" poiname=""园"" /></msg>'
    packet = "<msg><appmsg><title>微信红包</title><type>2001</type></appmsg></msg>"
    path = write(
        f'{V1}1,7,48,0,0,{SECOND},3,"{place}",x,,松果,wxid_a\n2,7,49,2001,0,{SECOND},3,"{packet}",x,,松果,wxid_a\n'
    )

    values, _ = values_of(path)

    assert [value.kind for value in values if isinstance(value, Said)] == ["location", "red_packet"]
    assert isinstance(values[0], Said)
    assert values[0].location is not None
    assert values[0].location.latitude == 30.0


def test_a_row_with_another_number_of_cells_is_a_fault_of_its_line(write: Write) -> None:
    values, report = values_of(write(f"{V1}1,7,1,0,0,{SECOND},3,早,x,,松果,wxid_a\n2,7,1\n"))

    assert len(values) == 1
    assert report.faults == ["line 3: has 3 cells, expected 12"]


def test_a_cell_may_hold_several_lines_and_commas(write: Write) -> None:
    path = write(f'{V1}1,7,1,0,0,{SECOND},3,"一,二\r\n""三""",x,,松果,wxid_a\n')

    assert said(path) == [("09:05:03", "wxid_a", '一,二\n"三"')]


def test_a_place_in_words_is_read(write: Write) -> None:
    text = '"纬度:【30.5】 经度:【120.25】"'
    path = write(f"{PYWX}1,61,位置,0,wxid_a,1@chatroom,{text},,2026-01-01 09:05:03\n")

    (value,), _ = values_of(path)

    assert isinstance(value, Said)
    assert value.location is not None
    assert (value.location.latitude, value.location.longitude) == (30.5, 120.25)


# — OneBot, Telegram, Discord, WeCom —


def test_codes_in_a_text_are_no_words(write: Write) -> None:
    row = {
        "time": SECOND,
        "user_id": 10002,
        "group_id": 900001,
        "real_seq": "881",
        "sender": {"nickname": "米粒", "role": "admin"},
        "message": "[CQ:reply,id=7][CQ:at,qq=10001,name=松果] 好&#91;1&#93; [CQ:image,file=a&amp;b.png]",
        "raw_message": "",
    }

    (value,), _ = values_of(write(json.dumps([row])))

    assert isinstance(value, Said)
    assert value.text == "@松果  好[1]"
    assert ([one.id for one in value.mentions], value.kind, value.media) == (["10001"], "reply", ("a&b.png",))
    assert (value.sender.role, value.message_id) == (Role.ADMIN, "881")


def test_every_talk_of_a_whole_export_is_its_own(write: Write) -> None:
    def talk(number: int, kind: str, *messages: Any) -> dict[str, Any]:
        return {"name": f"群{number}", "type": kind, "id": number, "messages": messages}

    message = {
        "id": 1,
        "type": "message",
        "date_unixtime": str(SECOND),
        "from": "松果",
        "from_id": "user1",
        "text": "早",
    }
    left = {"id": 2, "type": "service", "date_unixtime": str(SECOND), "actor": "松果", "actor_id": "user1", "action": "remove_members", "members": ["松果"]}  # fmt: skip
    whole = {
        "about": "…",
        "chats": {
            "about": "…",
            "list": [talk(1, "private_group", message, left), talk(2, "personal_chat", message)],
        },
    }

    values, report = values_of(write(json.dumps(whole)))

    assert [(value.chat, type(value)) for value in values] == [("1", Said), ("1", Left), ("2", Said)]
    assert isinstance(values[1], Left)
    assert values[1].removed is False
    assert {key: talk.private for key, talk in report.chats.items()} == {"1": False, "2": True}


def test_a_join_of_discord_names_who_came(write: Write) -> None:
    author = {"id": "501", "name": "songguo", "nickname": "松果"}
    row = {"id": "1", "type": "GuildMemberJoin", "timestamp": "2026-01-01T09:05:03.123+08:00", "content": "Joined the server.", "author": author}  # fmt: skip
    document = {"guild": {"id": "1"}, "channel": {"id": "2", "name": "打卡"}, "messages": [row]}

    (value,), report = values_of(write(json.dumps(document)))

    assert isinstance(value, Joined)
    assert ([one.id for one in value.who], report.group_id) == (["501"], "2")


def test_a_reply_of_the_archive_is_taken_apart(write: Write) -> None:
    quoted = '这是一条引用/回复消息：\n"松果：\n早"\n------\n好的'
    row = {"msgid": "1", "action": "send", "from": "mili", "roomid": "wr1", "msgtime": SECOND * 1000, "msgtype": "text", "text": {"content": quoted}}  # fmt: skip
    recall = {"msgid": "2", "action": "recall", "from": "mili", "msgtime": SECOND * 1000, "msgtype": "revoke", "revoke": {"pre_msgid": "1"}}  # fmt: skip

    values, _ = values_of(write(f"{json.dumps(row)}\n{json.dumps(recall)}\n"))

    assert isinstance(values[0], Said)
    assert values[0].reply is not None
    assert (values[0].text, values[0].reply.text) == ("好的", "松果：\n早")
    assert isinstance(values[1], Recalled)
    assert (values[1].chat, values[1].message_id) == ("wr1", "1")
