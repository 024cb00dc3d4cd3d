"""Who of a roster speaks in a transcript: certain ones are matched, all others are shown to a human."""

from __future__ import annotations

from groupops import AccountId, PersonLine
from groupops.importers.transcripts import Matching, Party, Report, Seen, formats, match


def report(*parties: Party) -> Report:
    senders = {party.key: Seen(party=party, messages=number) for number, party in enumerate(parties, start=1)}
    return Report(name="talk", format=formats()["chatlog-json"], senders=senders)


def line(name: str, *accounts: str, active: bool = True) -> PersonLine:
    return PersonLine(name=name, accounts=tuple(map(AccountId, accounts)), active=active)


def reviewed(matching: Matching) -> list[tuple[str, str, list[str]]]:
    return [
        (one.sender.party.name, one.why, [person.name for person in one.candidates])
        for one in matching.review
    ]


def test_an_account_of_the_roster_is_certain_whatever_its_name() -> None:
    found = match(report(Party(id="wxid_a", name="风")), [line("任晓佳", "wechat:wxid_a")])

    assert [(one.line.name, one.ground) for one in found.matched] == [("任晓佳", "account")]
    assert found.review == ()


def test_a_name_only_one_person_and_one_sender_has_is_certain() -> None:
    parties = Party(id="wxid_a", name="任晓佳"), Party(name="风", card="财务部-董博海")

    found = match(report(*parties), [line("任晓佳"), line("董博海"), line("高思东")])

    assert [(one.line.name, one.ground) for one in found.matched] == [("任晓佳", "name"), ("董博海", "card")]
    assert [person.name for person in found.silent] == ["高思东"]


def test_a_name_of_two_persons_is_for_a_human() -> None:
    found = match(report(Party(name="王伟")), [line("王伟"), line("王伟")])

    assert reviewed(found) == [("王伟", "several_persons", ["王伟", "王伟"])]


def test_a_name_two_senders_have_is_for_a_human() -> None:
    parties = Party(id="wxid_a", name="任晓佳"), Party(id="wxid_b", name="任 晓佳")

    found = match(report(*parties), [line("任晓佳")])

    assert found.matched == ()
    assert [why for _, why, _ in reviewed(found)] == ["several_senders", "several_senders"]


def test_whoever_takes_the_name_of_a_known_account_is_for_a_human() -> None:
    parties = Party(id="wxid_a", name="任晓佳"), Party(id="wxid_x", name="任晓佳")

    found = match(report(*parties), [line("任晓佳", "wechat:wxid_a")])

    assert [one.sender.party.id for one in found.matched] == ["wxid_a"]
    assert reviewed(found) == [("任晓佳", "several_senders", ["任晓佳"])]


def test_a_name_of_somebody_who_left_is_for_a_human() -> None:
    found = match(report(Party(name="任晓佳")), [line("任晓佳", active=False)])

    assert reviewed(found) == [("任晓佳", "left", ["任晓佳"])]


def test_likeness_is_a_suggestion_and_never_a_match() -> None:
    found = match(report(Party(name="任晓佳佳")), [line("任晓佳"), line("高思东")])

    assert found.matched == ()
    assert reviewed(found) == [("任晓佳佳", "alike", ["任晓佳"])]


def test_a_name_like_none_is_unknown() -> None:
    found = match(report(Party(name="风")), [line("任晓佳")])

    assert reviewed(found) == [("风", "unknown", [])]
    assert [person.name for person in found.silent] == ["任晓佳"]
