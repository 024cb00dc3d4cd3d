"""What WeChat writes inside its messages is read as it is meant, and what is broken in it is refused, never run."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupops.importers.wechat_xml import (
    WeChatXmlError,
    is_everybody,
    mentioned,
    read_payload,
    split_sender,
)

IDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{5,19}", fullmatch=True)
WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>&\ufffe\uffff"), max_size=20
)


def app(sub: int, more: str = "", title: str = "标题") -> str:
    return f"<msg><appmsg><title>{title}</title><des>说明</des><type>{sub}</type><url>https://example.com</url>{more}</appmsg></msg>"


def joined(template: str, links: str) -> str:
    return (
        '<sysmsg type="sysmsgtemplate"><sysmsgtemplate><content_template type="tmpl_type_profile"><plain/>'
        f"<template><![CDATA[{template}]]></template><link_list>{links}</link_list></content_template></sysmsgtemplate></sysmsg>"
    )


def link(name: str, *members: tuple[str, str]) -> str:
    told = "".join(
        f"<member><username>{id_}</username><nickname>{nick}</nickname></member>" for id_, nick in members
    )
    return f'<link name="{name}" type="link_profile"><memberlist>{told}</memberlist></link>'


@given(sender=IDS, text=WORDS)
@example(sender="old-custom.id", text="a:\nb")
def test_the_sender_in_front_of_a_message_is_taken_off_it(sender: str, text: str) -> None:
    assert split_sender(f"{sender}:\n{text}") == (sender, text)


@given(text=WORDS)
def test_a_message_without_a_sender_in_front_stays_whole(text: str) -> None:
    assert split_sender(f" {text}") == ("", f" {text}")


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), label=WORDS)
def test_a_place_has_its_latitude_in_x(latitude: float, longitude: float, label: str) -> None:
    place = label.replace('"', "")
    told = read_payload(
        48,
        f'a_user:\n<msg><location x="{latitude!r}" y="{longitude!r}" poiname="{place}" label="路" /></msg>',
    )

    assert told.location is not None
    assert (told.location.latitude, told.location.longitude) == (latitude, longitude)
    assert (told.sender, told.location.crs) == ("a_user", "gcj02")


@pytest.mark.parametrize("x", ["", "abc", "91", "nan", "inf"])
def test_a_place_that_is_nowhere_is_refused(x: str) -> None:
    with pytest.raises(WeChatXmlError, match="place"):
        read_payload(48, f'<msg><location x="{x}" y="120" /></msg>', group=False)


@pytest.mark.parametrize(
    ("sub", "kind"),
    [
        (5, "link"),
        (6, "file"),
        (17, "live_location"),
        (19, "forward"),
        (33, "share"),
        (57, "reply"),
        (62, "poke"),
        (87, "announcement"),
        (2000, "transfer"),
        (2001, "red_packet"),
        (9999, "other"),
    ],
)
def test_a_card_is_what_its_number_says(sub: int, kind: str) -> None:
    assert read_payload(49, f"wxid_a:\n{app(sub)}").kind == kind


def test_a_type_with_a_subtype_packed_into_it_is_taken_apart() -> None:
    assert read_payload(8594229559345, app(2001), group=False).kind == "red_packet"


def test_of_a_red_packet_the_wish_is_known_and_the_amount_never() -> None:
    told = read_payload(
        49, app(2001, "<wcpayinfo><sendertitle>恭喜发财</sendertitle></wcpayinfo>"), group=False
    )

    assert told.red_packet is not None
    assert (told.red_packet.wish, told.red_packet.amount_fen) == ("恭喜发财", None)


def test_a_title_that_says_red_packet_makes_none() -> None:
    told = read_payload(49, app(5, title="微信红包"), group=False)

    assert (told.kind, told.red_packet) == ("link", None)


def test_a_quote_names_what_it_answers() -> None:
    refer = "<refermsg><type>1</type><svrid>77</svrid><fromusr>1@chatroom</fromusr><chatusr>wxid_b</chatusr><content>早</content></refermsg>"

    told = read_payload(49, f"wxid_a:\n{app(57, refer, title='收到')}")

    assert (told.text, told.quote_id, told.quote_sender, told.quote_text) == ("收到", "77", "wxid_b", "早")


@pytest.mark.parametrize(
    ("template", "links", "came", "by"),
    [
        (
            '"$username$"邀请"$names$"加入了群聊',
            link("username", ("wxid_a", "松果")) + link("names", ("wxid_b", "米粒"), ("wxid_c", "阿岚")),
            ["wxid_b", "wxid_c"],
            "wxid_a",
        ),
        ('你邀请"$names$"加入了群聊', link("names", ("wxid_b", "米粒")), ["wxid_b"], None),
        ('"$names$"加入了群聊', link("names", ("wxid_b", "米粒")), ["wxid_b"], None),
        (
            '" $adder$"通过扫描"$from$"分享的二维码加入群聊',
            link("adder", ("wxid_b", "米粒")) + link("from", ("wxid_a", "松果")),
            ["wxid_b"],
            "wxid_a",
        ),
    ],
)
def test_a_join_says_who_came_and_who_let_them_in(
    template: str, links: str, came: list[str], by: str | None
) -> None:
    told = read_payload(10002, f"1@chatroom:\n{joined(template, links)}")

    assert told.kind == "joined"
    assert [one.id for one in told.members] == came
    assert (told.by.id if told.by else None) == by
    assert "$" not in told.text


def test_whoever_was_put_out_is_named() -> None:
    told = read_payload(
        10002, joined('你将"$kickoutname$"移出了群聊', link("kickoutname", ("wxid_b", "米粒")))
    )

    assert (told.kind, [one.id for one in told.members]) == ("removed", ["wxid_b"])
    assert told.text == '你将"米粒"移出了群聊'


def test_a_recall_names_its_message() -> None:
    xml = '<sysmsg type="revokemsg"><revokemsg><session>1@chatroom</session><msgid>3</msgid><newmsgid>77</newmsgid><replacemsg><![CDATA["米粒" 撤回了一条消息]]></replacemsg></revokemsg></sysmsg>'

    told = read_payload(10002, xml)

    assert (told.kind, told.recalled_id, told.text) == ("recalled", "77", '"米粒" 撤回了一条消息')


@given(ids=st.lists(IDS, min_size=1, max_size=5, unique=True))
def test_mentions_are_read_off_the_source(ids: list[str]) -> None:
    assert mentioned(f"<msgsource><atuserlist>{','.join(ids)}</atuserlist></msgsource>") == tuple(ids)


def test_everybody_is_somebody_special() -> None:
    (one,) = mentioned("<msgsource><atuserlist><![CDATA[notify@all]]></atuserlist></msgsource>")

    assert is_everybody(one)


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><msg><appmsg><title>&b;</title></appmsg></msg>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><msg/>',
        "<msg>",
        "",
        "<msg>" * 5_000,
        "<msg/>" + " " * 2**20,
    ],
    ids=["entities", "outside", "cut", "nothing", "deep", "long"],
)
def test_a_document_that_is_broken_or_dangerous_is_refused(xml: str) -> None:
    with pytest.raises(WeChatXmlError):
        read_payload(49, xml, group=False)


@given(code=st.sampled_from([1, 3, 47, 48, 49, 10000, 10002, 2**40]), content=st.text(max_size=60))
@example(code=49, content="<msg><appmsg><type>2001</type></appmsg></msg>")
@example(code=10002, content='<sysmsg type="sysmsgtemplate"/>')
def test_whatever_stands_there_is_read_or_refused(code: int, content: str) -> None:
    try:
        told = read_payload(code, content)
    except WeChatXmlError:
        return
    assert told.members == () or told.kind in ("joined", "removed")
