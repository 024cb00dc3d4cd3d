"""What holds for every card, however strange."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops import Person, PersonId
from groupops_roster.cards import (
    Format,
    Judgement,
    Register,
    Verdict,
    card_of,
    check,
    reason,
    safe_card,
    whose,
)
from tests.plugins.roster.cards.sample_roster import people, registers

EMPTY = Register.of([])
ANYTHING = st.text(max_size=40)
DECORATION = st.sampled_from(
    "🌟 👨\u200d👩\u200d👧 \u200b \u3164 \ufe0f - + － — _ / 一 · • ( ) 【 】 经理 总 先生 部 市 A 1 的 张 \u0301 \u202e".split(
        " "
    )
) | st.just(" ")
SEPARATORS = st.sampled_from([(), ("-",), ("+", "-"), (" ",), ("·",), ("部",), ("",), ("", "-")])
NAMES = st.text(alphabet="张三李四王一部中·- aAÅßİ🌟\u0301\u200b", min_size=0, max_size=4)


@st.composite
def mutations(draw: st.DrawFn, form: Format) -> str:
    """A card of somebody on the roster, after a few of the things people do to cards."""
    person = draw(st.sampled_from(list(people(form))))
    parts = [part for part in (person.region, person.company, person.department, person.name) if part]
    pieces = draw(st.permutations([*parts, *draw(st.lists(DECORATION, max_size=3))]))
    text = "".join(pieces)
    at = draw(st.integers(0, len(text)))
    other = draw(DECORATION | st.sampled_from([one.name for one in people(form)]) | st.just(""))
    return text[:at] + other + text[at + draw(st.integers(0, 1)) :]


def holds(card: str, form: Format, known: Register, judgement: Judgement, **asked: object) -> None:
    """A judgement is whole, and its suggestion passes the format that gave it."""
    assert (judgement.verdict is Verdict.FIXABLE) == bool(judgement.suggestion)
    assert (judgement.verdict is Verdict.VALID) == (judgement.why == "")
    assert bool(reason(judgement.why)) == (judgement.verdict is not Verdict.VALID)
    if judgement.suggestion:
        again = check(judgement.suggestion, form, known, **asked)  # type: ignore[arg-type] - the same words as before
        assert again.verdict is Verdict.VALID
        assert again.suggestion == ""


@pytest.mark.parametrize("form", list(Format))
@given(card=ANYTHING, separators=SEPARATORS)
def test_any_text_gets_a_whole_judgement(form: Format, card: str, separators: tuple[str, ...]) -> None:
    for known in (registers()[form], EMPTY):
        judgement = check(card, form, known, separators=separators)

        holds(card, form, known, judgement, separators=separators)
        assert (judgement.verdict is Verdict.REMIND) <= (known is EMPTY)
        assert isinstance(whose(card, form, known), tuple)


@pytest.mark.parametrize("form", list(Format))
@given(draw=st.data(), separators=SEPARATORS)
def test_any_spoilt_card_gets_a_whole_judgement(
    form: Format, draw: st.DataObject, separators: tuple[str, ...]
) -> None:
    card, known = draw.draw(mutations(form)), registers()[form]
    holder = draw.draw(st.sampled_from([None, *people(form)]))

    judgement = check(card, form, known, holder=holder, separators=separators)

    holds(card, form, known, judgement, holder=holder, separators=separators)
    if holder is not None and judgement.verdict in {Verdict.VALID, Verdict.FIXABLE}:
        assert judgement.person == holder


@pytest.mark.parametrize("form", list(Format))
@given(names=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5), card=NAMES, draw=st.data())
def test_any_roster_however_odd_is_judged_whole(
    form: Format, names: list[tuple[str, str]], card: str, draw: st.DataObject
) -> None:
    known = Register.of(
        Person(id=PersonId(n), name=name, department=unit, region=unit, company=unit)
        for n, (name, unit) in enumerate(names)
    )
    pieces = draw.draw(st.permutations([*draw.draw(st.sampled_from(names)), card]))

    holds("".join(pieces), form, known, check("".join(pieces), form, known))


@pytest.mark.parametrize("form", [form for form in Format if form.enforceable])
@given(draw=st.data())
def test_a_card_in_compatibility_characters_is_the_same_card(form: Format, draw: st.DataObject) -> None:
    card = draw.draw(mutations(form))

    assert check(card, form, registers()[form]) == check(
        unicodedata.normalize("NFKC", card), form, registers()[form]
    )


@pytest.mark.parametrize("form", [form for form in Format if form.enforceable])
def test_the_proper_card_of_everybody_is_valid_and_theirs(form: Format) -> None:
    for person in people(form):
        judgement = check(card_of(person, form, registers()[form]), form, registers()[form], holder=person)

        assert (judgement.verdict, judgement.person) == (Verdict.VALID, person)
        assert person in whose(card_of(person, form, registers()[form]), form, registers()[form])


@given(card=st.text(alphabet="0123456789０１ -王五🌟\u200b", max_size=30))
def test_no_long_number_is_left_in_a_safe_card(card: str) -> None:
    said = safe_card(card)

    assert safe_card(said) == said
    assert (
        max((len(word) for word in "".join(c if c.isdigit() else " " for c in said).split()), default=0) < 7
    )
