"""The shipped packs on texts that nobody tuned them to by hand, and the goals that bench prints."""

from pathlib import Path

import pytest

from bench import quality

pytestmark = pytest.mark.needs_data


@pytest.fixture(autouse=True)
def _data(shared_data: Path) -> None:
    assert (shared_data / "moderation").is_dir()


def test_harmless_work_talk_and_contacts_are_never_acted_upon(shared_data: Path) -> None:
    for name in ("benign_work.txt", "benign_contacts.txt"):
        lines = (shared_data / "moderation" / name).read_text("utf-8").splitlines()
        assert [line for line in lines if quality.judge(line) == "act"] == []


def test_at_most_one_in_two_thousand_service_dialogues_is_acted_upon() -> None:
    lines = quality.crosswoz()

    assert sum(quality.judge(line) == "act" for line in lines) <= len(lines) * 0.0005


def test_nearly_every_advert_is_reported() -> None:
    adverts = quality.ads(None, seed=3)

    assert sum(quality.judge(advert) is not None for advert in adverts) >= 0.95 * len(adverts)


def test_every_lossless_disguise_is_seen_through() -> None:
    missed = {row["id"]: row["value"] for row in quality.recall(seeds=(3,)) if not quality.met(row)}

    assert missed == {}


def test_folding_adds_no_false_hits_to_plain_search() -> None:
    missed = {row["id"]: row["value"] for row in quality.false_positives() if not quality.met(row)}

    assert missed == {}
