"""Who may push: nothing that is unsigned, forged, stale, replayed or too large has any effect, and the start is refused while it could."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from nonebot.adapters.qq.config import Config as LibraryConfig

from groupops import ConfigError, MessagePosted
from groupops.clock import StoppedClock
from groupops.counters import CountersUnavailable, MemoryCounters, open_counters
from groupops_qq.config import Config
from groupops_qq.door import PUSHES, Answer, Door, Push, setup_of
from tests.support.qq_platform import APP_ID, SECRET, QQPlatform, until
from tests.support.qq_rig import MEMBER, Served, serving

NOW = datetime(2026, 11, 25, 15, 40, tzinfo=UTC)
FORGED = {
    "op": 0,
    "t": "GROUP_MESSAGE_CREATE",
    "id": "x",
    "d": {"id": "M", "content": "踢了他", "group_openid": "G"},
}


def library(**bot: Any) -> LibraryConfig:
    return LibraryConfig.model_validate({"qq_bots": [{"id": APP_ID, "secret": SECRET, **bot}]})


def door(**keys: Any) -> Door:
    config = Config.model_validate(keys)
    return Door(setup_of(library(use_websocket=False), config).pushed, config)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def texts(served: Served) -> list[str]:
    await served.settled()
    return [fact.text for fact in served.told.take() if isinstance(fact, MessagePosted)]


# — over a real socket —


async def test_a_signed_push_arrives_once_and_a_replay_is_refused() -> None:
    async with serving(listen=True) as served:
        body = json.dumps(served.far.message(MEMBER, "早")).encode()
        headers = served.far.signed(body)

        first = await served.far.push(served.url, body, headers=headers)
        replayed = await served.far.push(served.url, body, headers=headers)

        assert (first.status_code, replayed.status_code) == (200, 409)
        assert first.json() == {"op": 12, "d": 0}
        assert await texts(served) == ["早"]


async def test_an_event_the_platform_pushes_anew_is_thanked_for_and_not_handled_twice() -> None:
    async with serving(listen=True) as served:
        payload = served.far.message(MEMBER, "早")

        first = await served.far.push(served.url, payload)
        again = await served.far.push(served.url, payload, at=datetime.now(UTC) + timedelta(seconds=3))

        assert (first.status_code, again.status_code) == (200, 200)
        assert await texts(served) == ["早"]
        assert served.adapter.door.repeated == 1


@pytest.mark.parametrize("path", ["/qq/", "/qq/webhook", "/qq/webhook/"])
async def test_no_address_takes_what_is_not_signed(path: str) -> None:
    async with serving(listen=True) as served:
        url = f"http://127.0.0.1:{served.port}{path}"
        forged = await served.far.push(url, FORGED, headers={"X-Bot-Appid": APP_ID})
        wrong = served.far.signed(b"something else")

        refused = await served.far.push(url, FORGED, headers=wrong)

        assert (forged.status_code, refused.status_code) == (401, 401)
        assert await texts(served) == []


@pytest.mark.parametrize(
    "signature", ["", "zz", "xyz" * 50, "0" * 127, "0" * 128, "é" * 128, "00" * 64 + "\x80"]
)
async def test_a_signature_that_is_none_is_401_and_no_fault_of_ours(signature: str) -> None:
    async with serving() as served:
        headers = {**lower(served.far.signed(b"{}")), "x-signature-ed25519": signature}

        status, _ = await served.adapter.pushed(headers, b"{}")

        assert status == 401


@pytest.mark.parametrize("off", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=-400)])
async def test_a_push_signed_at_another_time_is_refused(off: timedelta) -> None:
    async with serving(listen=True) as served:
        answer = await served.far.push(
            served.url, served.far.message(MEMBER, "早"), at=datetime.now(UTC) + off
        )

        assert answer.status_code == 401
        assert await texts(served) == []


async def test_a_body_that_is_too_large_is_left_unread() -> None:
    async with serving(listen=True, qq_body_bytes=65_536) as served:
        body = json.dumps(served.far.message(MEMBER, "长" * 70_000)).encode()

        answer = await served.far.push(served.url, body)

        assert answer.status_code == 413
        assert await texts(served) == []


async def test_a_bot_that_nobody_configured_cannot_be_pushed_for() -> None:
    async with serving(listen=True) as served:
        body = json.dumps(served.far.message(MEMBER, "早")).encode()
        headers = {**served.far.signed(body), "X-Bot-Appid": "102999999"}

        assert (await served.far.push(served.url, body, headers=headers)).status_code == 403
        assert await texts(served) == []


async def test_a_bot_on_a_websocket_has_no_address_to_push_to() -> None:
    async with serving(push=False, listen=True) as served:
        answer = await served.far.push(served.url, served.far.message(MEMBER, "早"))

        assert answer.status_code == 404


async def test_the_challenge_of_the_platform_is_answered_with_proof() -> None:
    async with serving(listen=True) as served:
        answer = await served.far.challenge(served.url)
        stamp = json.loads(answer.request.content)["d"]["event_ts"]

        proof = bytes.fromhex(answer.json()["signature"])
        served.far.key().public_key().verify(proof, f"{stamp}Arq0D5A61EgUu4OxUvOp".encode())


async def test_no_push_can_be_had_signed_by_way_of_a_challenge() -> None:
    async with serving(listen=True) as served:
        wanted = json.dumps(FORGED)
        stamp = str(int(datetime.now(UTC).timestamp()))

        answer = await served.far.challenge(served.url, token=wanted, ts=stamp)

        assert answer.status_code == 401
        assert "signature" not in answer.text


async def test_a_platform_that_does_not_answer_yet_loses_no_push() -> None:
    far = QQPlatform()
    far.wrong_secret = True
    async with _unanswered(far) as served:
        answer = await served.far.push(served.url, served.far.message(MEMBER, "早"))
        assert answer.status_code == 200
        assert await texts(served) == ["早"]
        assert not served.health.connected
        assert "no token" in served.health.note

        far.wrong_secret = False
        await until(lambda: served.health.connected)


def _unanswered(far: QQPlatform) -> Any:
    """Serve without waiting until the bot is connected."""
    from contextlib import asynccontextmanager

    import tests.support.qq_rig as rig

    @asynccontextmanager
    async def made() -> Any:
        wait = rig.until

        async def not_now(_: Any) -> None:
            await asyncio.sleep(0)

        rig.until = not_now  # type: ignore[assignment]
        try:
            async with serving(far, listen=True) as served:
                yield served
        finally:
            rig.until = wait

    return made()


# — one look at the door —


@given(
    body=st.binary(max_size=300),
    header=st.dictionaries(
        st.sampled_from(["x-bot-appid", "x-signature-timestamp", "x-signature-ed25519", "content-type"]),
        st.text(max_size=140) | st.just(APP_ID) | st.just(str(int(NOW.timestamp()))) | st.just("0" * 128),
    ),
)
@settings(max_examples=400)
def test_nothing_unsigned_ever_comes_in(body: bytes, header: dict[str, str]) -> None:
    found = door().examine(header, body, NOW)

    assert isinstance(found, Answer)
    assert found.status in {401, 403}


@given(
    payload=st.dictionaries(
        st.sampled_from(["op", "d", "t", "plain_token", "event_ts"]),
        st.integers(0, 15)
        | st.dictionaries(
            st.sampled_from(["plain_token", "event_ts"]),
            st.text(max_size=60) | st.just(str(int(NOW.timestamp()))),
        ),
    )
)
def test_only_a_plain_token_is_ever_signed(payload: dict[str, Any]) -> None:
    found = door().examine({"x-bot-appid": APP_ID}, json.dumps(payload).encode(), NOW)

    assert isinstance(found, Answer)
    if found.status == 200:
        token = payload["d"]["plain_token"]
        assert token.isascii()
        assert token.replace("-", "").replace("_", "").isalnum()
        assert "{" not in token


@given(st.binary(max_size=200))
def test_a_signed_body_of_any_kind_is_a_push_or_an_answer(body: bytes) -> None:
    headers = lower(QQPlatform(lambda: NOW).signed(body))

    found = door().examine(headers, body, NOW)

    assert isinstance(found, Push) or found.status in {400, 401}


def test_a_signature_of_another_key_does_not_hold() -> None:
    body, stamp = b"{}", str(int(NOW.timestamp()))
    other = Ed25519PrivateKey.generate().sign(stamp.encode() + body).hex()
    headers = {"x-bot-appid": APP_ID, "x-signature-timestamp": stamp, "x-signature-ed25519": other}

    assert isinstance(door().examine(headers, body, NOW), Answer)


@pytest.mark.parametrize("stamp", ["", "1", "９" * 10, "1e9", " 1795621200", "99999999999999999999"])
def test_a_moment_that_is_none_does_not_hold(stamp: str) -> None:
    body = b"{}"
    signature = QQPlatform().key().sign(stamp.encode() + body).hex()
    headers = {"x-bot-appid": APP_ID, "x-signature-timestamp": stamp, "x-signature-ed25519": signature}

    assert isinstance(door().examine(headers, body, NOW), Answer)


async def test_what_is_remembered_of_pushes_is_bounded() -> None:
    made, marks = door(), MemoryCounters(StoppedClock(NOW))
    for number in range(PUSHES + 100):
        await made.is_new_event(marks, APP_ID, f"event-{number}", NOW)

    assert len(made._seen) == PUSHES


async def test_a_push_is_known_again_by_another_process(redis_url: str) -> None:
    clock = StoppedClock(datetime.now(UTC))
    first, second = open_counters(redis_url, clock), open_counters(redis_url, clock)
    push = Push(APP_ID, {}, f"{APP_ID}:{datetime.now(UTC).timestamp()}")
    try:
        assert await door().is_new(first, push, clock.now())
        assert not await door().is_new(second, push, clock.now())
    finally:
        await first.close()
        await second.close()


class Away:
    """Counters that are not there."""

    async def once(self, key: str, ttl: float) -> bool:
        raise CountersUnavailable(key)

    async def peek(self, key: str, window: float) -> int:
        raise CountersUnavailable(key)

    async def clear(self, key: str, window: float) -> None:
        raise CountersUnavailable(key)


async def test_a_push_that_could_not_be_marked_is_new_when_it_comes_again() -> None:
    made, push = door(), Push(APP_ID, {}, "mark")
    with pytest.raises(CountersUnavailable):
        await made.is_new(Away(), push, NOW)

    assert await made.is_new(MemoryCounters(StoppedClock(NOW)), push, NOW)


# — the start —


REFUSED = {
    "no bot": ({"qq_bots": []}, "QQ_BOTS is empty"),
    "a bot twice": ({"qq_bots": [{"id": APP_ID, "secret": SECRET}] * 2}, "names one AppID twice"),
    "no secret": ({"qq_bots": [{"id": APP_ID, "secret": " "}]}, r"QQ_BOTS\[0\].secret is too short"),
    "an id that is none": ({"qq_bots": [{"id": "me", "secret": SECRET}]}, r"QQ_BOTS\[0\].id is no AppID"),
    "pushes that are not verified": (
        {"qq_bots": [{"id": APP_ID, "secret": SECRET, "use_websocket": False}], "qq_verify_webhook": False},
        "QQ_VERIFY_WEBHOOK=false",
    ),
    "a bot that hears nothing": (
        {"qq_bots": [{"id": APP_ID, "secret": SECRET, "intent": {"interaction": True}}]},
        "c2c_group_at_messages off",
    ),
}


@pytest.mark.parametrize(("keys", "said"), REFUSED.values(), ids=REFUSED)
def test_the_start_is_refused_with(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        setup_of(LibraryConfig.model_validate(keys), Config())


def test_a_bot_whose_intents_nobody_wrote_hears_groups_and_no_channels() -> None:
    (bot,) = setup_of(library(), Config()).bots.values()

    assert bot.intent.to_int() == 1 << 24 | 1 << 25 | 1 << 26


def test_intents_somebody_wrote_stay_as_they_are() -> None:
    intent = {"c2c_group_at_messages": True, "guilds": False}
    (bot,) = setup_of(library(intent=intent), Config()).bots.values()

    assert not bot.intent.group_members


async def test_a_wrong_key_stops_the_start_and_says_which() -> None:
    with pytest.raises(ConfigError, match="QQ_PROACTIVE_QUOTAS"):
        async with serving(qq_proactive_quotas=["many"]):
            pass
