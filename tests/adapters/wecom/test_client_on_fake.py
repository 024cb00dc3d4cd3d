"""Our client and what stands on it, against the make-believe WeCom that foreign software takes for the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from groupops_wecom.budget import Throttled
from groupops_wecom.exception import InDoubt
from groupops_wecom.intercept import Range, Wanted, carry_out, changes, read_published, rules_of
from groupops_wecom.people import read_contacts
from groupops_wecom.qyapi import QyApi
from groupops_wecom.testing import BROKEN, BUSY, CROWDED, CUT, LOST, App, FakeWeCom, running
from tests.support.wecom_stub import OVER_HTTPX, Hours, requests

pytestmark = OVER_HTTPX

Office = tuple[FakeWeCom, App, QyApi, Hours]


@pytest.fixture
async def there() -> AsyncIterator[Office]:
    """A company, and our client with the app's secret; time passes when somebody waits."""
    hours = Hours()
    async with running(FakeWeCom(lambda: hours.moment)) as wecom, requests() as request:
        world = wecom.world
        world.department(2, "运维部")
        world.department(3, "一组", 2)
        world.hire("zhangsan", "张三", 2, position="组长")
        world.hire("lisi", "李四", 3)
        app = world.app(customers=True)
        secrets = {"app": app.secret, "contacts": world.contacts_secret, "archive": world.archive_secret}
        yield (
            wecom,
            app,
            QyApi(world.corp_id, secrets, request, wecom.rest.base, clock=hours.hurried, dice=lambda: 0.0),
            hours,
        )


def letter(content: str = "早", **rest: Any) -> dict[str, Any]:
    return {
        "touser": "lisi",
        "msgtype": "text",
        "agentid": 1000002,
        "text": {"content": content},
        **rest,
    }


def counts(wecom: FakeWeCom, name: str) -> list[int]:
    return [one.errcode for one in wecom.rest.calls if one.name == name]


@pytest.mark.parametrize("spent", ["expire_tokens", "revoke_tokens"])
async def test_twenty_calls_with_a_spent_token_ask_for_one_new_one_and_are_all_done(
    there: Office, spent: str
) -> None:
    wecom, _, api, _ = there
    await api.call("message/send", letter("先"))
    getattr(wecom.rest, spent)()

    await asyncio.gather(*(api.call("message/send", letter(str(n))) for n in range(20)))

    assert counts(wecom, "gettoken") == [0, 0]
    assert len(wecom.world.people["lisi"].inbox) == 21


async def test_a_token_is_renewed_in_time_over_a_whole_day(there: Office) -> None:
    wecom, _, api, hours = there

    for _ in range(24 * 12):
        await api.call("department/list", method="GET")
        hours.moment += 300

    assert set(counts(wecom, "department/list")) <= {0, 42001}
    assert counts(wecom, "department/list").count(0) == 24 * 12
    assert len(counts(wecom, "gettoken")) <= 40


async def test_what_is_checked_for_repeats_arrives_once_whatever_breaks(there: Office) -> None:
    wecom, _, api, _ = there
    for content, faults in (("一", (LOST, BROKEN, CUT)), ("二", (BUSY, LOST))):
        wecom.rest.faults.add("message/send", *faults)
        await api.call("message/send", letter(content, enable_duplicate_check=1))

    assert [one.text for one in wecom.world.people["lisi"].inbox] == ["一", "二"]


async def test_what_is_not_checked_for_repeats_is_in_doubt_and_arrives_once(there: Office) -> None:
    wecom, _, api, _ = there
    await api.call("appchat/create", {"chatid": "duty01", "userlist": ["zhangsan", "lisi"]})
    wecom.rest.faults.add("appchat/send", LOST)
    words = {"chatid": "duty01", "msgtype": "text", "text": {"content": "一"}}

    with pytest.raises(InDoubt):
        await api.call("appchat/send", words)

    assert [one.text for one in wecom.world.groups[0].said] == ["一"]


async def test_calls_that_crowd_go_one_after_another(there: Office) -> None:
    wecom, _, api, _ = there
    wecom.rest.faults.add("message/send", CROWDED, CROWDED)

    await asyncio.gather(*(api.call("message/send", letter(str(n))) for n in range(5)))

    assert sorted(one.text for one in wecom.world.people["lisi"].inbox) == ["0", "1", "2", "3", "4"]


async def test_an_interface_that_is_shut_is_left_alone_for_its_window(there: Office) -> None:
    wecom, _, api, hours = there
    asked = {"opencheckindatatype": 3, "starttime": 1, "endtime": 2, "useridlist": ["lisi"]}
    for _ in range(600):
        wecom.rest._rates_of["checkin/getcheckindata"].admits(
            f"{wecom.world.corp_id} checkin/getcheckindata", hours.moment
        )

    with pytest.raises(Throttled) as refused:
        await api.call("checkin/getcheckindata", asked)
    hours.moment += refused.value.wait

    assert (await api.call("checkin/getcheckindata", asked))["checkindata"] == []
    assert counts(wecom, "checkin/getcheckindata") == [45009, 0]


async def test_the_contacts_are_read_as_they_are(there: Office) -> None:
    *_, api, _ = there

    contacts = await read_contacts(api)

    assert "zhangsan" in repr(contacts)
    assert "lisi" in repr(contacts)


async def test_the_published_rules_are_those_that_were_wanted_field_by_field(there: Office) -> None:
    wecom, _, api, _ = there
    whom = Range(users=("lisi",), departments=(2,))
    wanted = Wanted(words={f"词{n:03}": "here" for n in range(301)}, semantics=(3,), whom=whom)

    planned = changes(await read_published(api), rules_of(wanted))
    made = await carry_out(api, planned)

    first, second = wecom.rest.offices.rules.values()
    assert made == 2
    assert (
        first
        | {
            "rule_name": "groupops-001",
            "word_list": [f"词{n:03}" for n in range(300)],
            "semantics_list": [3],
            "intercept_type": 1,
            "applicable_range": {"user_list": ["lisi"], "department_list": [2]},
        }
        == first
    )
    assert (second["rule_name"], second["word_list"], second["semantics_list"]) == (
        "groupops-002",
        ["词300"],
        [],
    )
    assert changes(await read_published(api), rules_of(wanted)) == ()


async def test_another_lexicon_changes_the_published_rules_and_taking_it_back_restores_them(
    there: Office,
) -> None:
    wecom, _, api, _ = there
    before = rules_of(Wanted(words={"赌场": "a", "贷款": "a"}, semantics=(3,), whom=Range(users=("lisi",))))
    after = rules_of(Wanted(words={"赌场": "a"}, whom=Range(users=("zhangsan",))))
    await carry_out(api, changes(await read_published(api), before))
    rules = {key: dict(rule) for key, rule in wecom.rest.offices.rules.items()}

    await carry_out(api, changes(await read_published(api), after))
    (changed,) = wecom.rest.offices.rules.values()
    await carry_out(api, changes(await read_published(api), before))

    assert (changed["word_list"], changed["semantics_list"]) == (["赌场"], [])
    assert changed["applicable_range"] == {"user_list": ["zhangsan"], "department_list": []}
    assert wecom.rest.offices.rules == rules
