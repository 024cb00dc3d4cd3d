"""Private messages, groups of an app and media: what is sent, what is held back, and what happens once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from groupops_wecom.budget import Throttled
from groupops_wecom.chats import Chat, Chats, difference
from groupops_wecom.exception import ActionFailed, InDoubt, WindowClosed
from groupops_wecom.letters import (
    KINDS,
    AnyContent,
    Article,
    File,
    Image,
    Letters,
    Markdown,
    MiniProgram,
    News,
    Page,
    Pages,
    Sent,
    TemplateCard,
    TextCard,
    To,
    Video,
    Voice,
    Words,
)
from groupops_wecom.media import Kind, Media
from groupops_wecom.qyapi import QyApi
from groupops_wecom.templates import Button, Unfit, button_interaction, text_notice
from tests.support.wecom_stub import LOST, OVER_HTTPX, START, Hours, Said, Stub, ok, requests, said, stub

pytestmark = OVER_HTTPX

DAY = 24 * 3600
ONE = To(users=("ZhangSan",))
CARD = button_interaction("批准", task_id="case_12", buttons=[Button("批准", "yes"), Button("驳回", "no", 2)])


@pytest.fixture
async def server() -> AsyncIterator[Stub]:
    async with stub() as standing:
        yield standing


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
async def api(server: Stub, hours: Hours) -> AsyncIterator[QyApi]:
    async with requests() as request:
        yield QyApi("wwCORP", {"app": "S"}, request, server.base, clock=hours.hurried, dice=lambda: 0.0)


@pytest.fixture
def letters(api: QyApi) -> Letters:
    return Letters(api, 1000002)


@pytest.fixture
def chats(api: QyApi) -> Chats:
    return Chats(api, 1000002)


def group(*members: str, owner: str = "zhangsan") -> Said:
    return ok(
        chat_info={
            "chatid": "duty",
            "name": "值班",
            "owner": owner,
            "userlist": list(members),
            "chat_type": 0,
        }
    )


# — letters —


CONTENTS: list[AnyContent] = [
    Words("今日未打卡"),
    Markdown("**提醒**"),
    Image("M"),
    Voice("M"),
    File("M"),
    Video("M", "题", "述"),
    TextCard("题", "述", "https://example.com", "详情"),
    News([Article("题", "https://example.com")]),
    Pages([Page("题", "M", "文")]),
    MiniProgram("wx1", "题", rows=[("截止", "10:00")]),
    TemplateCard(CARD),
]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: str(content.msgtype))
async def test_every_kind_of_message_goes_out_under_its_name(
    server: Stub, letters: Letters, content: AnyContent
) -> None:
    server.on("message/send", ok(msgid="MSG"))

    sent = await letters.send(content, ONE)

    body = server.calls("message/send")[0].json
    assert sent.msgid == "MSG"
    assert body.pop("msgtype") == content.msgtype
    assert body.pop(content.msgtype)
    assert body == {
        "touser": "ZhangSan",
        "agentid": 1000002,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 1800,
    }


def test_there_is_a_content_for_every_kind_of_the_sheet() -> None:
    sheet = "text image voice file video textcard news mpnews markdown miniprogram_notice template_card"

    assert set(sheet.split()) == KINDS == {content.msgtype for content in CONTENTS}


@pytest.mark.parametrize(
    "content",
    [
        Words(""),
        Words("长" * 683),
        Markdown("x" * 2049),
        Image(""),
        Video("M", "长" * 43),
        TextCard("长" * 43, "述", "u"),
        TextCard("题", "长" * 171, "u"),
        TextCard("题", "述", ""),
        TextCard("题", "述", "u", "查看详情吧"),
        News([]),
        News([Article("题", "u")] * 9),
        Pages([Page("题", "", "文")]),
        MiniProgram("", "题"),
        MiniProgram("wx1", "题", rows=[("k", "v")] * 11),
        TemplateCard({"card_type": "text_notice"}),
    ],
)
async def test_what_would_be_refused_is_not_sent(server: Stub, letters: Letters, content: AnyContent) -> None:
    with pytest.raises(Unfit):
        await letters.send(content, ONE)

    assert server.asked == []


@pytest.mark.parametrize("to", [To(), To(users=tuple(map(str, range(1001)))), To(tags=tuple(range(101)))])
async def test_nobody_and_too_many_are_refused(server: Stub, letters: Letters, to: To) -> None:
    with pytest.raises(Unfit):
        await letters.send(Words("x"), to)

    assert server.asked == []


async def test_receivers_go_out_joined(server: Stub, letters: Letters) -> None:
    await letters.send(Words("x"), To(users=("a", "b"), parties=(1, 2), tags=(3,)))
    await letters.send(Words("x"), To(everybody=True))

    first, second = (asked.json for asked in server.calls("message/send"))
    assert (first["touser"], first["toparty"], first["totag"]) == ("a|b", "1|2", "3")
    assert second["touser"] == "@all"


async def test_whom_it_did_not_reach_is_told_as_it_was_asked(server: Stub, letters: Letters) -> None:
    answer = ok(
        msgid="M", invaliduser="lisi|unknown", unlicenseduser="wangwu", invalidparty="2|3", invalidtag=""
    )
    server.on("message/send", answer)

    sent = await letters.send(Words("x"), To(users=("LiSi", "WangWu", "zhangsan"), parties=(2, 3)))

    assert (sent.unreached, sent.unlicensed) == (("LiSi", "unknown"), ("WangWu",))
    assert (sent.parties, sent.tags) == (("2", "3"), ())


async def test_the_same_message_is_sent_once_within_half_an_hour(
    server: Stub, letters: Letters, hours: Hours
) -> None:
    server.on("message/send", ok(msgid="M1"), ok(msgid="M2"))

    first = await letters.send(Words("x"), ONE, key="case:12")
    again = await letters.send(Words("x"), ONE, key="case:12")
    hours.moment += 1801
    later = await letters.send(Words("x"), ONE, key="case:12")

    assert (first.msgid, again.msgid, later.msgid) == ("M1", "M1", "M2")


async def test_a_message_whose_answer_was_lost_is_repeated_with_the_platforms_own_check(
    server: Stub, letters: Letters
) -> None:
    server.on("message/send", LOST, LOST, ok(msgid="M1"))

    sent = await letters.send(Words("x"), ONE, key="k")

    bodies = [asked.json for asked in server.calls("message/send")]
    assert sent.msgid == "M1"
    assert [body["enable_duplicate_check"] for body in bodies] == [1, 1, 1]
    assert bodies[0] == bodies[1] == bodies[2]


async def test_another_message_that_says_the_same_is_not_dropped_by_the_platform(
    server: Stub, letters: Letters
) -> None:
    await letters.send(Words("请打卡"), ONE, key="monday")
    await letters.send(Words("请打卡"), ONE, key="tuesday")

    checks = [asked.json.get("enable_duplicate_check", 0) for asked in server.calls("message/send")]
    assert checks == [1, 0]


async def test_what_the_platform_is_not_asked_to_check_is_in_doubt_once_and_stays_unchecked(
    server: Stub, letters: Letters
) -> None:
    await letters.send(Words("请打卡"), ONE, key="monday")
    server.on("message/send", LOST)

    for _ in range(2):
        with pytest.raises(InDoubt):
            await letters.send(Words("请打卡"), ONE, key="tuesday")

    checks = [asked.json.get("enable_duplicate_check", 0) for asked in server.calls("message/send")]
    assert checks == [1, 0, 0]


async def test_a_member_is_sent_no_more_than_thirty_messages_a_minute(
    server: Stub, letters: Letters, hours: Hours
) -> None:
    for number in range(24):  # six more are kept for messages to everybody
        await letters.send(Words(f"{number}"), ONE)

    with pytest.raises(Throttled) as caught:
        await letters.send(Words("one more"), ONE)

    assert len(server.calls("message/send")) == 24
    assert 0 < caught.value.wait <= 61
    await letters.send(Words("x"), To(users=("lisi",)))


async def test_what_may_have_been_sent_stays_in_doubt_when_it_may_not_be_asked_again(
    server: Stub, letters: Letters
) -> None:
    server.on("message/send", LOST, said(45009))

    with pytest.raises(InDoubt):
        await letters.send(Words("好"), To(users=("lisi",)))


async def test_a_repetition_waits_for_no_turn_of_its_own(
    server: Stub, letters: Letters, hours: Hours
) -> None:
    for number in range(23):
        await letters.send(Words(f"{number}"), To(users=("lisi",)))
    server.on("message/send", LOST, ok())

    await letters.send(Words("好"), To(users=("lisi",)))

    assert hours.moment - START < 10


async def test_a_refusal_is_told(server: Stub, letters: Letters) -> None:
    server.on("message/send", said(81013, "user & party & tag all invalid"))

    with pytest.raises(ActionFailed, match="81013"):
        await letters.send(Words("x"), ONE)


# — afterwards —


async def test_a_card_is_changed_once(server: Stub, letters: Letters) -> None:
    server.on("message/send", ok(msgid="M", response_code="CODE"))
    sent = await letters.send(TemplateCard(CARD), ONE)

    await letters.update_card(sent.response_code, button="已处理")
    with pytest.raises(WindowClosed, match="before"):
        await letters.update_card(sent.response_code, button="已处理")

    calls = server.calls("message/update_template_card")
    assert [asked.json for asked in calls] == [
        {"atall": 1, "agentid": 1000002, "response_code": "CODE", "button": {"replace_name": "已处理"}}
    ]
    assert "CODE" not in repr(sent)


async def test_a_card_is_replaced_for_who_pressed_it(server: Stub, letters: Letters) -> None:
    card = text_notice("已批准", url="https://example.com")

    await letters.update_card("PRESSED", card=card, users=["zhangsan"])

    body = server.calls("message/update_template_card")[0].json
    assert (body["userids"], body["template_card"]) == (["zhangsan"], card)


@pytest.mark.parametrize("issued", [None, 0.0])
async def test_a_card_older_than_three_days_is_not_changed(
    server: Stub, letters: Letters, hours: Hours, issued: float | None
) -> None:
    server.on("message/send", ok(msgid="M", response_code="CODE"))
    await letters.send(TemplateCard(CARD), ONE)
    hours.moment += 3 * DAY + 1

    with pytest.raises(WindowClosed, match="72 hours"):
        await letters.update_card("CODE", button="已处理", issued=issued)

    assert server.calls("message/update_template_card") == []


async def test_a_change_that_was_refused_or_is_in_doubt_may_be_tried_again_for_a_code_is_good_once(
    server: Stub, letters: Letters
) -> None:
    server.on("message/update_template_card", said(40035, "invalid"), LOST, ok())

    with pytest.raises(ActionFailed):
        await letters.update_card("CODE", button="x")
    with pytest.raises(InDoubt):
        await letters.update_card("CODE", button="x")
    await letters.update_card("CODE", button="x")
    with pytest.raises(WindowClosed):
        await letters.update_card("CODE", button="x")

    assert len(server.calls("message/update_template_card")) == 3


async def test_a_change_to_nothing_is_refused(letters: Letters) -> None:
    with pytest.raises(Unfit):
        await letters.update_card("CODE")


async def test_a_message_is_taken_back_within_a_day_only(
    server: Stub, letters: Letters, hours: Hours
) -> None:
    sent = Sent(msgid="MSG", at=hours.moment)

    await letters.recall(sent)
    hours.moment += DAY + 1
    with pytest.raises(WindowClosed, match="24 hours"):
        await letters.recall(sent)
    with pytest.raises(WindowClosed, match="msgid"):
        await letters.recall(Sent(msgid="", at=hours.moment))

    assert [asked.json for asked in server.calls("message/recall")] == [{"msgid": "MSG"}]


# — groups —


async def test_a_group_is_made_with_its_owner_among_its_members(server: Stub, chats: Chats) -> None:
    server.on("appchat/create", ok(chatid="duty01"))

    made = await chats.create("值班群", "zhangsan", ["lisi", "lisi"], "duty01")

    assert made == "duty01"
    assert server.calls("appchat/create")[0].json == {
        "name": "值班群",
        "owner": "zhangsan",
        "userlist": ["zhangsan", "lisi"],
        "chatid": "duty01",
    }


@pytest.mark.parametrize(
    ("name", "members", "chat_id"),
    [("", ["b"], ""), ("n" * 51, ["b"], ""), ("n", [], ""), ("n", ["b"], "a b"), ("n", ["b"], "x" * 33)],
)
async def test_a_group_that_cannot_be_is_not_made(
    server: Stub, chats: Chats, name: str, members: list[str], chat_id: str
) -> None:
    with pytest.raises(Unfit):
        await chats.create(name, "zhangsan", members, chat_id)
    with pytest.raises(Unfit, match="2001"):
        await chats.create("n", "zhangsan", [str(number) for number in range(2000)])

    assert server.asked == []


async def test_a_group_whose_making_was_not_answered_is_in_doubt(server: Stub, chats: Chats) -> None:
    server.on("appchat/create", LOST)

    with pytest.raises(InDoubt):
        await chats.create("n", "zhangsan", ["lisi"])

    assert len(server.calls("appchat/create")) == 1


async def test_members_are_put_out_and_whoever_is_gone_already_is_no_error(
    server: Stub, chats: Chats
) -> None:
    server.on("appchat/get", group("zhangsan", "lisi", "wangwu"))

    gone = await chats.kick("duty", ["lisi", "nobody", "lisi"])
    none = await chats.kick("duty", ["nobody"])

    assert (gone, none) == (("lisi",), ())
    assert [asked.json for asked in server.calls("appchat/update")] == [
        {"chatid": "duty", "del_user_list": ["lisi"]}
    ]
    assert server.calls("appchat/get")[0].query["chatid"] == "duty"


async def test_who_owns_a_group_is_put_out_only_with_an_heir(server: Stub, chats: Chats) -> None:
    server.on("appchat/get", group("zhangsan", "lisi", "wangwu"))

    await chats.kick("duty", ["zhangsan"])
    await chats.kick("duty", ["zhangsan"], heir="wangwu")
    with pytest.raises(Unfit, match="at least 2"):
        await chats.kick("duty", ["zhangsan", "lisi"])

    assert [asked.json["owner"] for asked in server.calls("appchat/update")] == ["lisi", "wangwu"]


@pytest.mark.parametrize(
    "change", [{}, {"add": ["a"], "remove": ["a"]}, {"owner": "a", "remove": ["a"]}, {"name": "n" * 51}]
)
async def test_a_change_that_makes_no_sense_is_refused(
    server: Stub, chats: Chats, change: dict[str, Any]
) -> None:
    with pytest.raises(Unfit):
        await chats.update("duty", **change)

    assert server.asked == []


async def test_a_group_of_another_is_told_so(server: Stub, chats: Chats) -> None:
    server.on("appchat/get", said(86008, "no permission"))

    with pytest.raises(ActionFailed, match="86008"):
        await chats.get("other")


async def test_words_in_a_group_mention_and_a_card_is_not_taken(server: Stub, chats: Chats) -> None:
    server.on("appchat/get", group("zhangsan", "lisi"))

    await chats.send("duty", Words("请 <@lisi> 处理"), ["lisi", "@all", "lisi"])
    await chats.send("duty", Markdown("<@lisi>"))
    for content, mentioned in ((TemplateCard(CARD), ()), (Image("M"), ("lisi",)), (Markdown("x"), ("lisi",))):
        with pytest.raises(Unfit):
            await chats.send("duty", content, mentioned)

    first, second = (asked.json for asked in server.calls("appchat/send"))
    assert first == {
        "chatid": "duty",
        "msgtype": "text",
        "text": {"content": "请 <@lisi> 处理", "mentioned_list": ["lisi", "@all"]},
        "safe": 0,
    }
    assert second["markdown"] == {"content": "<@lisi>"}
    assert len(server.calls("appchat/get")) == 1


async def test_large_groups_are_reached_only_so_often(server: Stub, chats: Chats) -> None:
    server.on("appchat/get", group(*(str(number) for number in range(2000))))

    for number in range(10):
        await chats.send("duty", Words(str(number)))
    with pytest.raises(Throttled):
        await chats.send("duty", Words("one more"))

    assert len(server.calls("appchat/send")) == 10


def test_who_came_and_who_went_is_the_difference() -> None:
    before = Chat(chat_id="c", name="", owner="a", members=("a", "b", "c"))
    after = Chat(chat_id="c", name="", owner="a", members=("a", "d", "c"))

    assert difference(before, after) == (("d",), ("b",))


# — media —


async def test_a_medium_is_put_up_and_fetched(server: Stub, api: QyApi) -> None:
    server.on("media/upload", ok(media_id="MEDIA")).on("media/uploadimg", ok(url="https://example.com/p.png"))
    server.on("media/get", Said(body=b"123456789", kind="application/octet-stream"))
    media, png = Media(api), b"\x89PNG\r\n\x1a\nrest"

    assert await media.upload("image", "a.png", png) == "MEDIA"
    assert await media.upload_picture("a.png", png) == "https://example.com/p.png"
    assert (await media.get("MEDIA")).data == b"123456789"
    assert server.calls("media/upload")[0].query["type"] == "image"
    with pytest.raises(Unfit, match="9 bytes"):
        await media.get("MEDIA", most=8)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image", b"GIF89a--"),
        ("voice", b"RIFF----"),
        ("file", b"12345"),
        ("image", b"\xff\xd8\xff" + bytes(10 << 20)),
        ("voice", b"#!AMR" + bytes(2 << 20)),
    ],
    ids=["gif", "wav", "small", "large picture", "large voice"],
)
async def test_a_medium_that_would_be_refused_is_not_put_up(
    server: Stub, api: QyApi, kind: Kind, data: bytes
) -> None:
    with pytest.raises(Unfit):
        await Media(api).upload(kind, "a", data)

    assert server.asked == []
