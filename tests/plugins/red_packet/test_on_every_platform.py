"""What the ledger does where a platform can do little: the same decisions, and words that find their way."""

from __future__ import annotations

import pytest

from groupops import AccountId, Capability, CommandGiven, GroupId
from groupops.testing import Rig, rig
from groupops_red_packet.journal import State
from groupops_sandbox.profiles import profiles
from tests.plugins.red_packet.stories import ABUSE, COMMITMENT, WITH, item, ledger, pack, said, tickets, told

PROFILES = sorted(profiles())
GROUP = GroupId("sandbox:g1")


async def command(r: Rig, account: str, name: str, *args: str, about: str = "") -> None:
    """A command that came by whatever way there is: privately, or from the console where nothing is heard."""
    await r.tell(
        CommandGiven(
            id=f"command {len(r.outcomes)}",
            at=r.clock.now(),
            group_id=GROUP,
            source="console",
            account=AccountId(f"sandbox:{account}"),
            name=name,
            args=args,
            private=True,
            mentioned=(AccountId(f"sandbox:{about}"),) if about else (),
        )
    )


async def reported(r: Rig) -> int:
    """A member is reported, and two stewards approve; gives the number."""
    await command(r, "li", "举报", "骂人", about="wang")
    (case,) = await r.records.cases()
    await command(r, "admin", "批准", str(case.id))
    await command(r, "admin2", "核准红包", str(case.id))
    return case.id


@pytest.mark.parametrize("profile", PROFILES)
async def test_rudeness_is_seen_wherever_talk_is(profile: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, profile=profile) as r:
        await r.say("g1", "wang", ABUSE)

        assert len(await ledger(r).items()) == int(Capability.RECEIVE_ALL in r.sandbox.can(GROUP))


@pytest.mark.parametrize("profile", PROFILES)
async def test_no_platform_says_an_amount_in_the_group(profile: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, profile=profile) as r:
        number = await reported(r)

        assert (await item(r, number)).state is State.NOTIFIED
        assert not any("元" in text for text in said(r))
        private = r.sandbox.direct(AccountId("sandbox:wang"))
        assert any("承诺" in text for text in told(r, "wang")) == private
        if not private and Capability.SEND_TEXT in r.sandbox.can(GROUP):
            assert any("我的台账" in text for text in said(r))


@pytest.mark.parametrize("profile", PROFILES)
async def test_an_item_is_carried_to_its_end_by_commands_alone(profile: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, profile=profile) as r:
        number = await reported(r)
        await command(r, "wang", "凭证", str(number), "已发红包,见截图")
        await command(r, "admin2", "结清", str(number))

        assert (await item(r, number)).state is State.SETTLED


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_red_packet_is_a_fact_only_where_the_platform_sees_it(profile: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, profile=profile) as r:
        number = await reported(r)
        await command(r, "wang", "接受", str(number))
        await r.tell(r.sandbox.red_packet("g1", "wang"))

        sees = "red_packet_sent" in r.sandbox.hears(GROUP)
        assert (await item(r, number)).evidence == int(sees)
        assert any("发了一个红包" in text for text in await tickets(r)) == sees
        assert (await item(r, number)).state is State.ACCEPTED


@pytest.mark.parametrize("profile", ["full", "wecom-aibot", "advisor"])
async def test_who_left_is_known_where_leaving_is_seen_and_else_from_a_list(profile: str) -> None:
    async with rig(pack=pack(COMMITMENT), plugins=WITH, profile=profile) as r:
        number = await reported(r)
        await r.tell(r.sandbox.leave("g1", "wang"))
        await r.tell(r.sandbox.census("g1"))

        knows = Capability.SEE_LEAVES in r.sandbox.can(GROUP) or Capability.LIST_MEMBERS in r.sandbox.can(
            GROUP
        )
        assert (await item(r, number)).frozen == knows
