"""A steward says that it was a false alarm: the case is gone, and the sentence is let pass for good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from groupops import GroupId
from groupops.plugin import texts_of
from groupops.records import CaseStatus
from groupops.store import schema
from groupops.store.sql import open_records
from groupops.testing import MONDAY, rig
from groupops_moderation import manifest, models
from groupops_moderation.allowances import Allowance, Allowances
from groupops_moderation.settings import Moderation
from groupops_moderation.workshop import Workshop
from tests.plugins.moderation_plugin.desk import asked, view_of
from tests.plugins.moderation_plugin.stories import (
    ABUSE,
    LEWD,
    ONLY,
    cases,
    last_case,
    only_case,
    pack,
    told,
)

NEWS = "新闻:某某事件已有定论"
LISTED = pack('operator_words = { bad_tendency = ["某某事件"] }', '"bad_tendency", "insult", "pii"')
APPS = {"moderation": manifest.models}


async def test_a_false_alarm_dismisses_the_case_and_lets_the_sentence_pass() -> None:
    async with rig(pack=LISTED, plugins=ONLY) as r:
        await r.say("g1", "wang", NEWS)
        await r.say("g1", "admin", "误报 1 新闻引用")
        case = await only_case(r)
        assert case.status is CaseStatus.DISMISSED
        assert "新闻引用" in case.decisions[-1].note
        assert any("放行" in text for text in told(r, "admin"))

        await r.advance(timedelta(hours=1))
        await r.say("g1", "li", f"转发 {NEWS}!")
        assert len(await cases(r)) == 1
        await r.say("g1", "li", "某某事件我有别的看法")
        assert len(await cases(r)) == 2


async def test_an_effect_that_was_taken_is_taken_back() -> None:
    async with rig(pack=pack(ladders='default = "soft"'), plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE)
        await r.say("g1", "admin", "误报 1")
        assert (await only_case(r)).status is CaseStatus.DISMISSED

        await r.advance(timedelta(hours=1))
        await r.say("g1", "wang", "操你妈")
        assert (await last_case(r)).step == "remind"


async def test_other_groups_are_not_concerned() -> None:
    async with rig(pack=LISTED, plugins=ONLY, groups=("g1", "g2")) as r:
        await r.say("g1", "wang", NEWS)
        await r.say("g1", "admin", "误报 1")
        await r.say("g2", "li", NEWS)
        assert (await last_case(r)).group_id == "sandbox:g2"


async def test_who_is_concerned_may_not_call_it_a_false_alarm() -> None:
    async with rig(pack=LISTED, plugins=ONLY) as r:
        await r.say("g1", "admin", NEWS)
        await r.say("g1", "admin", "误报 1")
        assert (await only_case(r)).status is CaseStatus.FLAGGED
        assert any("其他管理员" in text for text in told(r, "admin"))

        await r.say("g1", "admin2", "误报 1")
        assert (await only_case(r)).status is CaseStatus.DISMISSED


async def test_a_member_may_not_either() -> None:
    async with rig(pack=LISTED, plugins=ONLY) as r:
        await r.say("g1", "wang", NEWS)
        await r.say("g1", "li", "/误报 1")
        assert (await only_case(r)).status is CaseStatus.FLAGGED


async def test_what_was_not_kept_is_dismissed_but_cannot_be_let_pass() -> None:
    async with rig(pack=LISTED, plugins=ONLY) as r:
        await r.say("g1", "wang", "身份证 11010519491231002X")
        await r.say("g1", "admin", "误报 1")
        assert (await only_case(r)).status is CaseStatus.DISMISSED
        assert any("没有保留" in text for text in told(r, "admin"))


async def test_a_number_that_is_no_case_of_ours_is_said_to_be_none() -> None:
    async with rig(pack=LISTED, plugins=ONLY) as r:
        await r.say("g1", "admin", "误报 7")
        assert any("7" in text for text in told(r, "admin"))


async def test_a_report_that_was_wrong_is_dismissed_and_lets_nothing_pass() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", "今天天气不错", message_id="m1")
        await r.say("g1", "li", "举报 骂人", quote="m1")
        await r.say("g1", "admin", "误报 1")
        assert (await only_case(r)).status is CaseStatus.DISMISSED
        assert r.engine.parts.hooks.own("moderation").allowances.of(GroupId("sandbox:g1")) == {}


# — in the table —


async def test_a_false_alarm_outlives_the_process(tmp_path: Path) -> None:
    address = f"sqlite://{tmp_path}/groups.sqlite3"
    async with open_records(address, apps=APPS) as records:
        context = records.context  # type: ignore[attr-defined] # the open database, as the plugin finds it
        with context:
            async with rig(pack=LISTED, plugins=ONLY, records=records) as r:
                await r.say("g1", "wang", NEWS)
                await r.say("g1", "admin", "误报 1")
            (entry,) = await models.load_entries()
            assert (entry.phrase, entry.case_id, entry.by) == (NEWS, 1, "sandbox:admin")

            async with rig(pack=LISTED, plugins=ONLY, records=records) as r:
                await r.say("g1", "li", NEWS, message_id="later")
                assert len(await cases(r)) == 1


async def test_the_same_false_alarm_is_kept_once(tmp_path: Path) -> None:
    entry = Allowance(group_id=GroupId("qq:1"), phrase=NEWS, case_id=1, by="qq:2", at=MONDAY)
    async with open_records(f"sqlite://{tmp_path}/groups.sqlite3", apps=APPS) as records:
        with records.context:  # type: ignore[attr-defined] # as above
            await models.keep_entry(entry)
            await models.keep_entry(entry)
            assert await models.load_entries() == [entry]


async def test_the_migrations_say_what_the_models_say() -> None:
    assert await schema.drift(APPS) == []


# — regression —

_TEXTS = st.text(alphabet="今天会议好的啊,。!  abc1", max_size=12)
_SETTINGS = Moderation(use=("insult", "porn"))
_VIEW = view_of(_SETTINGS)


@given(before=_TEXTS, after=_TEXTS, bad=st.sampled_from([ABUSE, LEWD, "操你妈", "他有点弱智"]))
def test_every_sentence_that_was_a_false_alarm_stays_unhit(before: str, after: str, bad: str) -> None:
    sentence = f"{before}{bad}{after}"
    kept = Allowance(group_id=GroupId("qq:9"), phrase=sentence, case_id=1, by="qq:1", at=MONDAY)

    assert asked(sentence, _SETTINGS, _VIEW, Workshop()) is not None
    assert asked(sentence, _SETTINGS, _VIEW, Workshop(Allowances([kept]))) is None


def test_every_text_there_is_has_a_use() -> None:
    package = Path(models.__file__).parent
    code = "".join(file.read_text("utf-8") for file in package.glob("*.py"))
    built = {"detail_", "kind_"}
    unused = [
        key
        for key in texts_of("groupops_moderation").keys()  # noqa: SIM118 - no mapping
        if f'"{key}"' not in code and not key.startswith(tuple(built))
    ]
    assert unused == []
