"""What follows from a message: by words, lists, patterns, addresses, files, numbers and markings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from groupops import AccountId, GroupId, Link, MessagePosted, Role, Severity, Stage
from groupops.records import CaseStatus
from groupops.testing import MONDAY, rig
from tests.plugins.moderation_plugin.stories import (
    ABUSE,
    LEWD,
    ONLY,
    actions,
    cases,
    file,
    last_case,
    only_case,
    pack,
    said,
    seen,
    stands,
    told,
)

MINUTE = timedelta(minutes=1)


async def test_foul_words_are_reminded_once_then_confirmed_by_a_human_and_never_remove() -> None:
    async with rig(packs=["s10"], plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE)
        first = await only_case(r)
        assert (first.status, first.step, first.strike) == (CaseStatus.EFFECTIVE, "remind", 1)
        assert "篇十 二.7" in said(r)[0]

        await r.advance(5 * MINUTE)
        await r.say("g1", "wang", ABUSE)
        second = await last_case(r)
        assert (second.status, second.step) == (CaseStatus.PROPOSED, "warn")
        await r.say("g1", "admin", f"批准 {second.id}")

        await r.advance(5 * MINUTE)
        await r.say("g1", "wang", ABUSE)
        assert (await last_case(r)).step == "admin_case"


async def test_words_of_which_one_is_no_proof_are_only_shown_to_the_stewards() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "他有点弱智")

        case = await only_case(r)
        assert (case.status, case.rule) == (CaseStatus.FLAGGED, "moderation.insult")
        assert said(r) == []
        assert stands(r, outcome)
        assert "疑似" in case.reason


async def test_lewd_offers_are_taken_away_and_reminded_of() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", LEWD)

        assert not stands(r, outcome)
        case = await only_case(r)
        assert (case.severity, case.rule) == (Severity.CRITICAL, "moderation.porn")
        assert seen(case, "word")


async def test_the_evidence_says_where_it_stood_in_the_message_as_written() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        text = "大家好,操*你*妈 再见"
        await r.say("g1", "wang", text)

        (word,) = seen(await only_case(r), "word")
        assert text[word.start : word.end] == word.quote == "操*你*妈"
        assert word.detail == "操你妈"


async def test_an_admins_offence_is_left_to_humans() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        outcome = await r.say("g1", "admin2", LEWD)

        assert stands(r, outcome)
        assert (await only_case(r)).status is CaseStatus.PROPOSED


async def test_who_is_exempt_may_say_anything() -> None:
    async with rig(pack=pack('exempt_roles = ["admin"]'), plugins=ONLY) as r:
        await r.say("g1", "admin2", ABUSE)
        assert await cases(r) == ()


async def test_two_offences_in_one_message_are_one_strike_for_the_worse() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", f"{ABUSE},{LEWD}")

        case = await only_case(r)
        assert case.rule == "moderation.porn"
        assert "侮辱谩骂" in case.reason
        assert len(said(r)) == 1


async def test_quoted_words_are_not_the_quoters() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE, message_id="m1")
        await r.say("g1", "li", "他这样说话不好", quote="m1")

        assert {case.account for case in await cases(r)} == {"sandbox:wang"}


async def test_what_its_author_takes_back_in_time_counts_nothing() -> None:
    async with rig(pack=pack(ladders='default = "redpacket"'), plugins=ONLY) as r:
        await r.say("g1", "wang", ABUSE, message_id="m1")
        await r.advance(timedelta(seconds=90))
        await r.tell(r.sandbox.recall("g1", "m1", by="wang"))

        assert (await only_case(r)).status is CaseStatus.WITHDRAWN


async def test_what_comes_late_is_left_to_humans() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        late = MessagePosted(
            id="late", at=MONDAY - timedelta(hours=1), received_at=MONDAY, group_id=GroupId("sandbox:g1"),
            account=AccountId("sandbox:wang"), message_id="late", text=LEWD,
        )  # fmt: skip
        await r.tell(late)

        case = await only_case(r)
        assert case.status is CaseStatus.FLAGGED
        assert said(r) == []


async def test_in_shadow_nothing_is_done() -> None:
    async with rig(pack=pack(), plugins=ONLY, stage=Stage.SHADOW) as r:
        outcome = await r.say("g1", "wang", LEWD)
        assert outcome is not None
        assert outcome.would is not None
        assert stands(r, outcome)


async def test_a_category_that_is_not_in_use_is_nobodys_business() -> None:
    async with rig(pack=pack(use='"insult"'), plugins=ONLY) as r:
        await r.say("g1", "wang", LEWD)
        assert await cases(r) == ()


# — the operator's own list —

LIST = 'operator_words = { incite = ["围堵大楼"], bad_tendency = ["某某事件"] }'


async def test_incitement_on_the_list_is_muted_for_half_an_hour_and_two_humans_decide() -> None:
    incite = pack(LIST, '"incite"', 'incite = "kick"')
    async with rig(pack=incite, plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "大家明天去围堵大楼")

        assert not r.sandbox.world.may_post("g1", "wang")
        assert stands(r, outcome)
        case = await only_case(r)
        assert (case.status, case.step, case.approvals_needed) == (CaseStatus.PROPOSED, "kick", 2)
        await r.advance(31 * MINUTE)
        assert r.sandbox.world.may_post("g1", "wang")
        assert (await only_case(r)).status is CaseStatus.PROPOSED


async def test_incitement_by_a_pattern_mutes_nobody() -> None:
    table = '[moderation.patterns.siege]\npattern = "围堵.{0,4}楼"\ncategory = "incite"\nact = true'
    async with rig(pack=pack("", '"incite"', 'incite = "kick"') + table, plugins=ONLY) as r:
        await r.say("g1", "wang", "围堵那栋楼")

        case = await only_case(r)
        assert case.status is CaseStatus.FLAGGED
        (match,) = seen(case, "pattern")
        assert (match.quote, match.detail) == ("围堵那栋楼", "siege")
        assert r.sandbox.world.may_post("g1", "wang")


async def test_an_opinion_on_the_list_is_told_to_the_stewards_alone() -> None:
    async with rig(pack=pack(LIST, '"bad_tendency"'), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "新闻里说了某某事件")

        case = await only_case(r)
        assert case.status is CaseStatus.FLAGGED
        assert await actions(r, case) == ["ask_stewards"]
        assert stands(r, outcome)
        assert said(r) == []
        assert told(r, "wang") == []
        assert any("待裁定" in text for text in told(r, "admin"))


async def test_a_listed_word_of_a_category_that_may_recall_is_taken_away() -> None:
    recall = pack(
        'operator_words = { insult = ["某外号"] }\ncategories = { insult = { list_max = "recall" } }'
    )
    async with rig(pack=recall, plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "某外号又来了")
        assert not stands(r, outcome)
        assert (await only_case(r)).status is CaseStatus.EFFECTIVE


async def test_one_groups_words_are_no_other_groups() -> None:
    async with rig(pack=pack(use='"insult"'), plugins=ONLY, groups=("g1", "g2")) as r:
        key = "moderation.operator_words"
        await r.engine.set(GroupId("sandbox:g1"), key, {"insult": ["某外号"]}, author="test")
        await r.say("g1", "wang", "某外号又来了")
        await r.say("g2", "wang", "某外号又来了")

        assert [case.group_id for case in await cases(r)] == ["sandbox:g1"]


async def test_a_phrase_that_is_let_pass_hides_the_words_in_it_and_no_others() -> None:
    own = 'operator_words = { insult = ["某外号"] }\nallow = ["某外号同名餐厅"]'
    async with rig(pack=pack(own), plugins=ONLY) as r:
        await r.say("g1", "wang", "去某外号同名餐厅吃饭")
        assert await cases(r) == ()
        await r.say("g1", "wang", "某外号去某外号同名餐厅吃饭")
        assert len(await cases(r)) == 1


# — hearsay —


async def test_hearsay_is_asked_for_its_source_and_a_human_decides() -> None:
    async with rig(pack=pack(use='"rumor"', ladders='default = "educate"'), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", "据内部消息,下月要裁员")

        assert any("出处" in text for text in said(r))
        case = await only_case(r)
        assert (case.status, case.step) == (CaseStatus.PROPOSED, "")
        assert stands(r, outcome)


# — complaints —


async def test_a_complaint_is_never_a_strike_and_its_author_is_told_where_to_turn() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", f"加班费没发,{ABUSE}")

        assert await cases(r) == ()
        assert outcome is not None
        assert outcome.ruling is not None
        assert any("加班" in reason for reason in outcome.ruling.pardons)
        assert any("建议" in text for text in told(r, "wang"))


async def test_a_complaint_without_any_offence_is_told_where_to_turn_once() -> None:
    async with rig(packs=["s10"], plugins=ONLY) as r:
        await r.say("g1", "wang", "加班费没发,我要去仲裁")
        await r.say("g1", "wang", "加班费还是没发")

        assert await cases(r) == ()
        assert len(told(r, "wang")) == 1


async def test_who_merely_mentions_wages_is_left_alone() -> None:
    async with rig(packs=["s10"], plugins=ONLY) as r:
        await r.say("g1", "wang", "工资表我发您邮箱了")
        assert told(r, "wang") == []


async def test_a_complaint_does_not_shield_what_is_critical() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", f"工资没发,{LEWD}")
        assert (await only_case(r)).rule == "moderation.porn"


async def test_criticism_of_a_process_is_no_offence() -> None:
    async with rig(pack=pack(use='"defame_org", "negative", "insult"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "这个流程太慢了")
        assert await cases(r) == ()


# — split over messages —


async def test_a_word_that_is_split_over_messages_is_seen() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        for piece in ("操", "你", "妈"):
            await r.say("g1", "wang", piece)
            await r.advance(timedelta(seconds=3))
        assert (await only_case(r)).rule == "moderation.insult"


async def test_pieces_of_different_people_or_times_are_no_word() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        await r.say("g1", "wang", "操你")
        await r.say("g1", "li", "妈")
        await r.advance(5 * MINUTE)
        await r.say("g1", "wang", "妈")
        assert await cases(r) == ()


# — addresses and files —

MALWARE = '"malware_link"'
DENY = 'url_deny = ["evil.test"]\nurl_allow = ["example.com"]'


@pytest.mark.parametrize("text", ["看 http://a.evil.test/x", "看 evil[点]test", "evil。test/下载"])
async def test_a_denied_address_is_taken_away_however_it_is_dressed(text: str) -> None:
    async with rig(pack=pack(DENY, MALWARE), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", text)

        assert not stands(r, outcome)
        (url,) = seen(await only_case(r), "url")
        assert url.quote in text
        assert url.detail.endswith("evil.test")


async def test_a_shared_link_is_judged_by_its_address() -> None:
    async with rig(pack=pack(DENY, MALWARE), plugins=ONLY) as r:
        link = Link(url="https://evil.test/a", title="好文")
        await r.say("g1", "wang", segments=(link,))
        assert (await only_case(r)).rule == "moderation.malware_link"


async def test_a_link_to_a_program_is_shown_to_the_stewards_unless_its_domain_is_allowed() -> None:
    async with rig(pack=pack(DENY, MALWARE), plugins=ONLY) as r:
        await r.say("g1", "wang", "下载 https://example.com/setup.exe")
        assert await cases(r) == ()
        await r.say("g1", "wang", "下载 https://other.org/setup.apk")
        assert (await only_case(r)).status is CaseStatus.FLAGGED


async def test_a_program_is_taken_away_and_referred() -> None:
    async with rig(pack=pack("", MALWARE, 'default = "internal"'), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", **file("红包助手.apk"))

        assert not stands(r, outcome)
        case = await only_case(r)
        assert (case.status, case.step, case.severity) == (CaseStatus.PROPOSED, "refer", Severity.CRITICAL)


async def test_a_document_and_an_allowed_kind_of_program_stay() -> None:
    async with rig(pack=pack('file_types_allow = ["js"]', MALWARE), plugins=ONLY) as r:
        for name in ("报告.pdf", "app.js"):
            await r.say("g1", "wang", **file(name))
        assert await cases(r) == ()


# — numbers —

CARD = "11010519491231002X"


async def test_an_identity_card_is_taken_away_and_not_kept() -> None:
    async with rig(pack=pack(use='"pii"'), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", f"老李的身份证 {CARD}")

        assert not stands(r, outcome)
        case = await only_case(r)
        assert case.excerpt == ""
        assert CARD not in repr(case.evidence)


async def test_an_order_number_of_eighteen_digits_is_nothing() -> None:
    async with rig(pack=pack(use='"pii"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "订单号 110105194912310021")
        await r.say("g1", "wang", "联系电话 13800138000")
        assert await cases(r) == ()


async def test_mobile_numbers_are_for_people_where_they_are_looked_for() -> None:
    async with rig(pack=pack('numbers = ["mobile"]', '"pii"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "小王的电话 13800138000")
        assert (await only_case(r)).status is CaseStatus.FLAGGED


# — markings —


@pytest.mark.parametrize(
    "what",
    [{"text": "机密★1年\n关于某事的通知"}, {"text": "国办发〔2024〕12号"}, file("机密★方案.docx")],
    ids=["grade", "document number", "file name"],
)
async def test_a_marked_text_is_told_to_its_author_alone_and_nothing_of_it_is_kept(
    what: dict[str, str],
) -> None:
    async with rig(pack=pack(use='"confidential"'), plugins=ONLY) as r:
        outcome = await r.say("g1", "wang", **what)

        assert len(told(r, "wang")) == 1
        assert said(r) == []
        assert stands(r, outcome)
        case = await only_case(r)
        assert (case.status, case.strike, case.excerpt) == (CaseStatus.MEASURE, 0, "")
        assert not any(one.quote for one in case.evidence)


async def test_a_leader_is_told_just_the_same() -> None:
    own = pack('operator_words = { confidential = ["舆情应对"] }', '"confidential"')
    async with rig(pack=own, plugins=ONLY) as r:
        await r.say("g1", "owner", "请按舆情应对口径回复")
        assert len(told(r, "owner")) == 1


async def test_without_a_private_way_the_group_hears_no_details() -> None:
    async with rig(pack=pack(use='"confidential"'), plugins=ONLY, profile="wecom-customer-group") as r:
        await r.say("g1", "wang", "机密★1年")
        assert all("机密" not in text and "涉密" not in text for text in said(r))


async def test_a_mere_mention_of_a_marking_is_left_to_people() -> None:
    async with rig(pack=pack(use='"confidential"'), plugins=ONLY) as r:
        await r.say("g1", "wang", "这个机密你可别说出去")
        assert (await only_case(r)).status is CaseStatus.FLAGGED
        assert told(r, "wang") == []


async def test_a_sender_without_a_stable_account_is_never_sanctioned() -> None:
    async with rig(pack=pack(), plugins=ONLY) as r:
        nobody = MessagePosted(
            id="x",
            at=MONDAY,
            group_id=GroupId("sandbox:g1"),
            account=AccountId(""),
            message_id="x",
            text=LEWD,
        )
        await r.tell(nobody)
        assert await cases(r) == ()


async def test_an_unknown_role_is_recalled_but_not_muted() -> None:
    both = pack('operator_words = { porn = ["某会所"] }\ncategories = { porn = { list_max = "mute" } }')
    async with rig(pack=both, plugins=ONLY) as r:
        r.sandbox.member("g1", "stranger", role=Role.UNKNOWN)
        outcome = await r.say("g1", "stranger", "去某会所")
        assert not stands(r, outcome)
        assert r.sandbox.world.may_post("g1", "stranger")
