"""Every sample card has the verdict its format gives it."""

import pytest

from groupops_roster.cards import Format, Judgement, Verdict, check, reason
from tests.plugins.roster.cards.sample_roster import data, registers

SAMPLES = {Format(name): cards for name, cards in data("samples.toml").items()}
VALID = [(form, card) for form, cards in SAMPLES.items() for card in cards["valid"]]
FIXABLE = [(form, card, better) for form, cards in SAMPLES.items() for card, better in cards["fixable"]]
INVALID = [(form, card, why) for form, cards in SAMPLES.items() for card, why in cards["invalid"]]


def judged(form: Format, card: str) -> Judgement:
    return check(card, form, registers()[form])


@pytest.mark.parametrize(("form", "card"), VALID)
def test_a_card_in_the_format_is_valid(form: Format, card: str) -> None:
    judgement = judged(form, card)

    assert (judgement.verdict, judgement.suggestion, judgement.why) == (Verdict.VALID, "", "")
    assert judgement.person is not None


@pytest.mark.parametrize(("form", "card", "better"), FIXABLE)
def test_a_card_that_says_who_is_meant_gets_the_one_suggestion(form: Format, card: str, better: str) -> None:
    judgement = judged(form, card)

    assert (judgement.verdict, judgement.suggestion) == (Verdict.FIXABLE, better)
    assert judged(form, better).verdict is Verdict.VALID


@pytest.mark.parametrize(("form", "card", "why"), INVALID)
def test_a_card_that_names_nobody_rightly_is_invalid_and_hears_why(form: Format, card: str, why: str) -> None:
    judgement = judged(form, card)

    assert (judgement.verdict, judgement.suggestion, judgement.why) == (Verdict.INVALID, "", why)
    assert reason(judgement.why)


def test_all_samples_of_the_seven_formats_are_here() -> None:
    told = {
        form.value: tuple(len(cards[kind]) for kind in ("valid", "fixable", "invalid"))
        for form, cards in SAMPLES.items()
    }

    assert told == {
        "F1": (17, 12, 15), "F2": (13, 7, 12), "F3": (13, 8, 12), "F4": (13, 8, 12),
        "F5": (15, 9, 13), "F6": (13, 3, 13), "F7": (12, 3, 12),
    }  # fmt: skip


def test_only_the_format_with_a_referrer_is_never_demanded() -> None:
    assert [form for form in Format if not form.enforceable] == [Format.REFERRER]
