"""The client of the interfaces against a real server: what it sends, what it repeats, and what it never says."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest

from groupops_wecom.budget import Budget, Throttled
from groupops_wecom.codes import CodeClass, meaning, meanings
from groupops_wecom.exception import ActionFailed, ApiNotAvailable, InDoubt, NetworkError
from groupops_wecom.qyapi import QyApi
from tests.support.wecom_stub import LOST, OVER_HTTPX, Asked, Hours, Said, Stub, ok, requests, said, stub

pytestmark = OVER_HTTPX

SECRETS = {"app": "SECRET-OF-APP", "contacts": "SECRET-OF-CONTACTS"}
TOKEN = "TOKEN-1"


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
        yield QyApi("wwCORP", SECRETS, request, server.base, clock=hours.hurried, dice=lambda: 0.0)


def tokens(*texts: str) -> tuple[Said, ...]:
    return tuple(ok(access_token=text, expires_in=7200) for text in texts)


async def test_a_body_goes_out_as_raw_utf8_with_the_token_in_the_query(server: Stub, api: QyApi) -> None:
    await api.call("message/send", {"text": {"content": "群规第四条 🙂"}})

    asked = server.calls("message/send")[0]
    assert asked.body == '{"text":{"content":"群规第四条 🙂"}}'.encode()
    assert asked.query == {"access_token": TOKEN}
    assert asked.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_half_character_does_not_stop_a_body(server: Stub, api: QyApi) -> None:
    await api.call("message/send", {"text": {"content": "a\ud83d"}})

    assert server.calls("message/send")[0].json == {"text": {"content": "a?"}}


async def test_a_token_is_fetched_once_for_each_secret(server: Stub, api: QyApi) -> None:
    await asyncio.gather(*(api.call("user/getuserid", {}) for _ in range(10)))
    await asyncio.gather(*(api.call("user/list_id", {}, secret="contacts") for _ in range(10)))

    assert [asked.query["corpsecret"] for asked in server.calls("gettoken")] == list(SECRETS.values())


async def test_a_token_is_renewed_shortly_before_it_ends(server: Stub, api: QyApi, hours: Hours) -> None:
    await api.call("user/getuserid", {})
    hours.moment += 6890
    await api.call("user/getuserid", {})
    hours.moment += 20
    await api.call("user/getuserid", {})

    assert len(server.calls("gettoken")) == 2


@pytest.mark.parametrize("code", [40014, 42001])
async def test_a_hundred_calls_with_a_spent_token_fetch_one_new_token(
    server: Stub, api: QyApi, code: int
) -> None:
    server.on("gettoken", *tokens("OLD", "NEW"))

    def check(asked: Asked) -> Said:
        return ok() if asked.query["access_token"] == "NEW" else said(code, "invalid")

    server.on("message/send", check)

    await asyncio.gather(*(api.call("message/send", {}) for _ in range(100)))

    assert len(server.calls("gettoken")) == 2
    assert len(server.calls("message/send")) <= 200


async def test_a_call_is_repeated_exactly_once_after_a_new_token(server: Stub, api: QyApi) -> None:
    server.on("message/send", said(42001, "access_token expired"))

    with pytest.raises(ActionFailed, match="42001"):
        await api.call("message/send", {})

    assert len(server.calls("message/send")) == 2


async def test_a_wrong_secret_is_a_configuration_error_and_is_not_tried_again_for_a_minute(
    server: Stub, api: QyApi, hours: Hours
) -> None:
    server.on("gettoken", said(40001, "invalid credential"))

    for _ in range(5):
        with pytest.raises(ActionFailed, match=r"40001.*copy it anew"):
            await api.call("message/send", {})
    tried = len(server.calls("gettoken"))
    hours.moment += 61
    with pytest.raises(ActionFailed):
        await api.call("message/send", {})

    assert (tried, len(server.calls("gettoken"))) == (1, 2)
    assert server.calls("message/send") == []


async def test_one_who_is_stopped_while_a_token_comes_does_not_stop_the_others(
    server: Stub, api: QyApi
) -> None:
    began, let_go = asyncio.Event(), asyncio.Event()

    async def slowly(_: Asked) -> Said:
        began.set()
        await let_go.wait()
        return ok(access_token="LATE", expires_in=7200)

    server.on("gettoken", slowly)
    calls = [asyncio.create_task(api.call("message/send", {})) for _ in range(3)]
    await began.wait()
    calls[0].cancel()
    let_go.set()

    done = await asyncio.gather(*calls, return_exceptions=True)

    assert isinstance(done[0], asyncio.CancelledError)
    assert [one["errcode"] for one in done[1:] if isinstance(one, dict)] == [0, 0]
    assert len(server.calls("gettoken")) == 1


async def test_a_secret_that_is_not_configured_is_said_before_anything_is_sent(
    server: Stub, api: QyApi
) -> None:
    with pytest.raises(ApiNotAvailable, match="archive"):
        await api.call("msgaudit/groupchat/get", {}, secret="archive")

    assert server.asked == []


@pytest.mark.parametrize(
    "answer", [LOST, Said(status=502), Said(body=b"<html>")], ids=["lost", "5xx", "html"]
)
async def test_a_message_whose_answer_is_lost_is_in_doubt_and_not_sent_again(
    server: Stub, api: QyApi, answer: Said
) -> None:
    server.on("appchat/send", answer)

    with pytest.raises(InDoubt):
        await api.call("appchat/send", {"chatid": "duty"})

    assert len(server.calls("appchat/send")) == 1


@pytest.mark.parametrize(
    "answer", [LOST, Said(status=502), said(-1, "system busy")], ids=["lost", "5xx", "busy"]
)
@pytest.mark.parametrize(
    ("path", "body"),
    [("message/send", {"enable_duplicate_check": 1}), ("externalcontact/groupchat/get", {})],
    ids=["a message with a duplicate check", "a question"],
)
async def test_what_does_no_harm_twice_is_repeated(
    server: Stub, api: QyApi, answer: Said, path: str, body: dict[str, Any]
) -> None:
    server.on(path, answer, answer, ok(msgid="M1"))

    done = await api.call(path, body)

    assert done["msgid"] == "M1"
    assert len(server.calls(path)) == 3


async def test_a_busy_platform_is_asked_four_times_and_then_that_is_said(
    server: Stub, api: QyApi, hours: Hours
) -> None:
    server.on("checkin/getcheckindata", said(301022, "system error"))

    with pytest.raises(ActionFailed, match="301022"):
        await api.call("checkin/getcheckindata", {})

    assert len(server.calls("checkin/getcheckindata")) == 4
    assert hours.slept == [0.5, 1.0, 2.0]


async def test_a_busy_platform_leaves_a_message_without_duplicate_check_in_doubt(
    server: Stub, api: QyApi
) -> None:
    server.on("appchat/send", said(-1, "system busy"))

    with pytest.raises(InDoubt, match="system busy"):
        await api.call("appchat/send", {})

    assert len(server.calls("appchat/send")) == 1


@pytest.mark.parametrize("answer", [LOST, Said(status=502)], ids=["lost", "5xx"])
async def test_a_message_for_which_no_token_comes_was_not_sent_and_is_not_in_doubt(
    server: Stub, api: QyApi, answer: Said
) -> None:
    server.on("gettoken", answer)

    with pytest.raises(NetworkError, match="gettoken") as caught:
        await api.call("appchat/send", {})

    assert not isinstance(caught.value, InDoubt)
    assert server.calls("appchat/send") == []


async def test_what_never_left_is_tried_again_and_is_not_in_doubt(hours: Hours) -> None:
    async with stub() as gone:
        base = gone.base
    async with requests() as request:
        api = QyApi("wwCORP", SECRETS, request, base, clock=hours.hurried)

        with pytest.raises(NetworkError, match="not sent") as caught:
            await api.call("appchat/send", {})

    assert not isinstance(caught.value, InDoubt)
    assert len(hours.slept) == 3


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("api freq out of limit", 60),
        ("api freq out of limit per minute", 60),
        ("api freq out of limit per hour", 3600),
        ("api freq out of limit per day", 14 * 3600),
    ],
)
async def test_a_rate_that_was_overrun_is_left_alone_until_its_window_is_over(
    server: Stub, api: QyApi, hours: Hours, words: str, seconds: int
) -> None:
    server.on("appchat/send", said(45009, words), ok())

    with pytest.raises(Throttled) as caught:
        await api.call("appchat/send", {})
    hours.moment += seconds - 31  # longer than a call waits for its turn
    with pytest.raises(Throttled) as again:
        await api.call("appchat/send", {})
    hours.moment += 31
    await api.call("appchat/send", {})

    assert (caught.value.errcode, caught.value.wait) == (45009, seconds)
    assert again.value.wait == pytest.approx(31)
    assert len(server.calls("appchat/send")) == 2


async def test_a_ban_that_was_too_short_is_followed_by_a_longer_one(
    server: Stub, api: QyApi, hours: Hours
) -> None:
    server.on("appchat/send", said(45009, "api freq out of limit"))
    waits: list[float] = []

    for _ in range(4):
        with pytest.raises(Throttled) as caught:
            await api.call("appchat/send", {})
        waits.append(caught.value.wait)
        hours.moment += caught.value.wait

    assert waits[:2] == [60, 3600]
    assert waits[2] == 14 * 3600 - 3660
    assert waits[3] == 24 * 3600


async def test_calls_refused_together_are_one_ban(server: Stub, api: QyApi) -> None:
    server.on("appchat/send", said(45009, "api freq out of limit"))

    done = await asyncio.gather(*(api.call("appchat/send", {}) for _ in range(5)), return_exceptions=True)

    assert {type(one) for one in done} == {Throttled}
    assert all(one.wait <= 60 for one in done if isinstance(one, Throttled))


async def test_another_interface_is_not_banned_along(server: Stub, api: QyApi) -> None:
    server.on("appchat/send", said(45009, "api freq out of limit"))
    with pytest.raises(Throttled):
        await api.call("appchat/send", {})

    await api.call("message/send", {})

    assert len(server.calls("message/send")) == 1


async def test_too_many_at_once_go_one_after_another_and_all_arrive(server: Stub, api: QyApi) -> None:
    under_way = most = crowded = 0

    async def one_at_a_time(_: Asked) -> Said:
        nonlocal under_way, most, crowded
        under_way += 1
        try:
            if under_way > 1 and crowded < 4:
                crowded += 1
                return said(45033, "api concurrent out of limit")
            if crowded:
                most = max(most, under_way)
            await asyncio.sleep(0.001)
            return ok()
        finally:
            under_way -= 1

    server.on("appchat/update", one_at_a_time)

    done = await asyncio.gather(*(api.call("appchat/update", {}) for _ in range(5)))
    after = len(server.calls("appchat/update"))
    most = 0
    await asyncio.gather(*(api.call("appchat/update", {}) for _ in range(5)))

    assert [one["errcode"] for one in done] == [0] * 5
    assert crowded > 0
    assert most == 1
    assert len(server.calls("appchat/update")) == after + 5


@pytest.mark.parametrize(
    "code", sorted(code for code, one in meanings().items() if one.kind is CodeClass.REPORT)
)
async def test_a_call_that_is_wrong_is_reported_and_not_repeated(server: Stub, api: QyApi, code: int) -> None:
    server.on("message/send", said(code, "no"))

    with pytest.raises(ActionFailed, match=f"message/send: {code}"):
        await api.call("message/send", {"enable_duplicate_check": 1})

    assert len(server.calls("message/send")) == 1


async def test_no_secret_stands_in_an_error_or_in_a_log(
    server: Stub, api: QyApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"invalid access_token={TOKEN} of SECRET-OF-APP, {TOKEN}"
    server.on("message/send", said(40003, echo), LOST, Said(status=404, body=b"?"))
    shown: list[str] = []

    for _ in range(3):
        with pytest.raises((ActionFailed, NetworkError)) as caught:
            await api.call("message/send", {})
        error = caught.value
        shown += [str(error), repr(error), "".join(traceback.format_exception(error))]
        assert error.__context__ is None
    shown += [repr(api), *(record.getMessage() for record in caplog.records)]

    everything = "\n".join(shown)
    assert "HTTP Request" in everything
    assert TOKEN not in everything
    assert "SECRET-OF" not in everything


async def test_a_file_goes_up_as_a_form_and_a_medium_comes_down_with_its_name(
    server: Stub, api: QyApi
) -> None:
    server.on("media/upload", ok(media_id="MEDIA"))
    png = Said(
        body=b"\x89PNG", kind="image/png", headers=(("Content-Disposition", 'attachment; filename="a.png"'),)
    )
    server.on("media/get", png, said(40007, "invalid media_id"))

    up = await api.upload("media/upload", "图.png", b"\x89PNG12", params={"type": "image"})
    down = await api.download("media/get", params={"media_id": "MEDIA"})
    with pytest.raises(ActionFailed, match="40007"):
        await api.download("media/get", params={"media_id": "MEDIA"})

    sent = server.calls("media/upload")[0]
    assert up["media_id"] == "MEDIA"
    assert sent.headers["content-type"].startswith("multipart/form-data")
    assert b'name="media"' in sent.body
    assert b"\x89PNG12" in sent.body
    assert (down.data, down.kind, down.name) == (b"\x89PNG", "image/png", "a.png")


async def test_apps_of_one_enterprise_share_their_counters(server: Stub, hours: Hours) -> None:
    budget = Budget(lambda: hours.moment)
    async with requests() as request:
        apps = [
            QyApi("wwCORP", {"app": name}, request, server.base, clock=hours.hurried, budget=budget)
            for name in ("one", "two")
        ]
        server.on("appchat/send", said(45009, "api freq out of limit"))

        for app in apps:
            with pytest.raises(Throttled):
                await app.call("appchat/send", {})

    assert len(server.calls("appchat/send")) == 1


def test_every_code_of_the_sheet_has_a_class() -> None:
    sheet = """
        -1 40001 40091 40013 40056 41001 41011 40014 42001 40003 60111 40004 40006 40007 40008 40009 40033
        40035 40058 44004 45001 45002 45007 45008 45009 45033 48002 50002 50003 60011 301002 60020 81013
        81017 86001 86003 86004 86005 86006 86007 86008 93006 301021 301022 301023 301024 846605 846608
    """

    assert {int(code) for code in sheet.split()} == set(meanings())
    assert all(one.means for one in meanings().values())
    assert meaning(99999).kind is CodeClass.REPORT
