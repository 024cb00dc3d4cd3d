"""Whose an account is, is proposed by what is seen and decided by a steward; the core carries it out."""

from __future__ import annotations

from groupops import AccountId, PersonId
from groupops.testing import MONDAY, Rig, rig
from groupops_roster import bindings
from groupops_roster.models import Proposal
from tests.plugins.roster.stories import ONLY, STEWARDS, audit, card, join, line, pack, person_of, told

F1 = '[roster.card]\nformat = "F1"'
WANG = line("王五")


async def statuses() -> list[str]:
    return [row.status for row in await Proposal.all().order_by("id")]


async def named(rig: Rig, name: str) -> PersonId:
    return next(one.id for one in await rig.records.persons() if one.name == name)


async def test_a_card_that_names_one_person_without_account_here_is_a_proposal() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.whisper("g1", "admin", "名册 待核")

        assert "1 | 销售部-王五[sandbox:wang] 是 王五(销售部)?(依据群名片)" in told(r, "admin")[-1]
        assert await person_of(r, "wang") == ""


async def test_a_steward_confirms_it_and_the_account_is_the_persons() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.say("g1", "admin", "确认绑定 1")

        assert await person_of(r, "wang") == "王五"
        assert await statuses() == ["confirmed"]
        assert await audit(r, "binding confirmed") == 1


async def test_what_a_steward_denied_is_not_proposed_again() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.say("g1", "admin", "否认绑定 1")
        await card(r, "wang", "王五")
        await card(r, "wang", "销售部-王五")

        assert await statuses() == ["denied"]
        assert await person_of(r, "wang") == ""


async def test_renaming_often_proposes_once() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        for text in ("销售部王五", "小王", "销售部-王五"):
            await card(r, "wang", text)

        assert await statuses() == ["open"]


async def test_a_name_two_have_is_no_proposal() -> None:
    async with rig(pack=pack(card='[roster.card]\nformat = "F5"'), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五"), line("王五", unit="财务部"))
        await card(r, "wang", "王五")

        assert await statuses() == []


async def test_somebody_who_has_an_account_here_is_not_proposed_for_another() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五", "wang"))
        await card(r, "li", "销售部-王五")

        assert await statuses() == []


async def test_an_account_on_another_platform_stands_in_nobodys_way() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        elsewhere = line("王五").__class__(name="王五", department="销售部", accounts=(AccountId("qq:5"),))
        await r.enrol(*STEWARDS, elsewhere)
        await card(r, "wang", "销售部-王五")
        await r.say("g1", "admin", "确认绑定 1")

        assert await r.records.accounts_of(await named(r, "王五")) == ("qq:5", "sandbox:wang")


async def test_nobody_decides_about_oneself() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(line("陈管", unit="人资中心"), *STEWARDS[1:])
        await card(r, "admin", "人资中心-陈管")
        await r.say("g1", "admin", "确认绑定 1")
        assert await person_of(r, "admin") == ""
        await r.say("g1", "admin2", "确认绑定 1")

        assert await person_of(r, "admin") == "陈管"


async def test_only_stewards_decide() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.say("g1", "wang", "/确认绑定 1")

        assert await person_of(r, "wang") == ""


async def test_whoever_the_roster_binds_meanwhile_settles_the_proposal() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.enrol(line("王五", "wang"))

        assert await statuses() == ["settled"]


async def test_a_newcomers_card_is_told_with_the_newcomer() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await join(r, "xin", card="销售部-王五")

        (word,) = [text for text in told(r, "admin") if "新成员" in text]
        assert "可能是——1 | 销售部-王五[sandbox:xin] 是 王五(销售部)?" in word
        await r.say("g1", "admin", "核验", mentions=["xin"])
        assert await person_of(r, "xin") == "王五"


async def test_an_account_two_persons_claim_by_the_roster_is_decided_by_a_steward() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五", "wang", ref="W1"))
        enrolled = await r.enrol(line("王小五", "wang", "财务部", ref="W2"))
        assert await bindings.propose_disputed(enrolled.disputed, at=MONDAY) == 1
        await r.say("g1", "admin", "确认绑定 1")

        assert await person_of(r, "wang") == "王小五"


async def test_two_persons_hr_calls_one_have_one_persons_accounts_after_a_stewards_yes() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, line("王五", "wang", ref="W1"), line("王 五", "li", "财务部", ref="W2"))
        kept, gone = await named(r, "王五"), await named(r, "王 五")
        assert await bindings.propose_merge(kept, gone, at=MONDAY) is not None
        assert await bindings.propose_merge(gone, kept, at=MONDAY) is not None
        assert await bindings.propose_merge(kept, kept, at=MONDAY) is None
        assert await statuses() == ["open"]
        await r.say("g1", "admin", "确认绑定 1")

        assert await r.records.accounts_of(kept) == ("sandbox:li", "sandbox:wang")
        assert [(merge.kept, merge.gone) for merge in await r.records.merges()] == [(kept, gone)]


async def test_a_number_nobody_gave_is_answered_plainly() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.enrol(*STEWARDS)
        await r.say("g1", "admin", "确认绑定 9")

        assert "没有编号为 9" in told(r, "admin")[-1]


async def test_who_leaves_the_group_takes_what_was_seen_there_along() -> None:
    async with rig(pack=pack(card=F1), plugins=ONLY) as r:
        await r.enrol(*STEWARDS, WANG)
        await card(r, "wang", "销售部-王五")
        await r.tell(r.sandbox.leave("g1", "wang"))

        assert await statuses() == ["settled"]
