"""Tencent's published client for iLink takes the make-believe interface for what it was written for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ilink_end import BOT, CHANG, FIRST_NUMBER, TOKEN, ILinkEnd
from tests.support.peers import Servant, WrongError, home_of

CLIENT = Path(__file__).parent / "tencent-weixin" / "client.mjs"


@pytest.fixture
def end() -> Iterator[ILinkEnd]:
    made = ILinkEnd(hold=0.3, answers=2)
    yield made
    made.end()


@pytest.fixture
def client(end: ILinkEnd) -> Iterator[Servant]:
    made = Servant("node", CLIENT, home_of("tencent-weixin"), end.url)
    yield made
    made.end()


def words(text: str, context: str, number: int) -> dict[str, object]:
    return {
        "from_user_id": "",
        "to_user_id": CHANG,
        "client_id": f"c{number}",
        "message_type": 2,
        "message_state": 2,
        "item_list": [{"type": 1, "text_item": {"text": text}}],
        "context_token": context,
    }


async def test_it_logs_in_by_a_code_that_somebody_scans(client: Servant) -> None:
    code = await client.does("qrcode")
    statuses = [await client.does("status", code["qrcode"]) for _ in range(3)]

    assert [one["status"] for one in statuses] == ["wait", "scaned", "confirmed"]
    assert (statuses[-1]["bot_token"], statuses[-1]["ilink_bot_id"]) == (TOKEN, BOT)


async def test_it_receives_what_is_said_once_with_the_number_whole(client: Servant, end: ILinkEnd) -> None:
    assert await client.does("start", TOKEN) == {"ret": 0}
    end.says(CHANG, "批准 12")

    first = await client.does("updates", TOKEN, "")
    then = await client.does("updates", TOKEN, first["get_updates_buf"])

    (message,) = first["msgs"]
    assert message["message_id"] == str(FIRST_NUMBER + 1)
    assert message["item_list"][0]["text_item"]["text"] == "批准 12"
    assert then["msgs"] == []


async def test_it_answers_as_often_as_the_window_allows_and_is_throttled_beyond(
    client: Servant, end: ILinkEnd
) -> None:
    end.says(CHANG, "在吗")
    (message,) = (await client.does("updates", TOKEN, ""))["msgs"]
    for number in range(2):
        await client.does("send", TOKEN, words("好", message["context_token"], number))

    with pytest.raises(WrongError, match="ret=-2"):
        await client.does("send", TOKEN, words("再一句", message["context_token"], 3))

    assert end.texts(CHANG) == ["好", "好"]


async def test_it_says_that_it_types_and_that_it_goes(client: Servant) -> None:
    ticket = (await client.does("config", TOKEN, CHANG, "ctx"))["typing_ticket"]
    await client.does("typing", TOKEN, CHANG, ticket)

    assert ticket
    assert await client.does("stop", TOKEN) == {"ret": 0}


async def test_a_token_that_is_stale_is_told_so(client: Servant) -> None:
    answer = await client.does("updates", "another", "")

    assert answer["errcode"] == -14
