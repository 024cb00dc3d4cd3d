"""How well moderation finds, what it leaves alone, and what that costs; `python -m bench.quality` prints it.

The disguises come from a generator that the runtime never imports, with seeds of its own. Texts come from the
shared data set (GROUPOPS_DATA, else ../shared/data); where it is absent the rows that need it are missing and the
program says so.
"""

import gc
import importlib.util
import json
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from groupops_moderation.detectors.contacts import find_contacts
from groupops_moderation.fold import load_fold
from groupops_moderation.matcher import SplitHit, Term, TermError, Union, fold_term
from groupops_moderation.packs import Level, load_packs, tally

Row = dict[str, Any]

ROOT = Path(__file__).parents[1]
SEEDS = (11, 12, 13, 14, 15)
ROUNDS = 5
SHORT_ROUNDS = 31  # a few milliseconds each, so that a busy neighbour hits both sides alike
WINDOW = 3
LOSSLESS = (
    "zero_width",
    "combining",
    "variation_tags",
    "emoji_insert",
    "space_insert",
    "line_breaks",
    "bracket_wrap",
    "fullwidth",
    "mixed_case",
    "compat_forms",
    "traditional",
    "html_entities",
    "url_encode",
    "repeat_chars",
    "split3",
)
PURGED_ABOVE = 2
MESSAGE = 50
MESSAGES = 600


def rows() -> list[Row]:
    """All figures of this file; those that need absent data are left out, and that is said on stderr."""
    found = [*memory(), *speed(), *stall()]
    if not shared().is_dir():
        print(f"NO SHARED DATA: {shared()} is not a folder; quality rows are left out", file=sys.stderr)
        return found
    return [*recall(), *false_positives(), *found]


def recall(seeds: Sequence[int] = SEEDS) -> Iterator[Row]:
    """Goal 10: of the adverts found in plain form, how many are found in each lossless disguise.

    Judged three times: by whether any of the words marked in the adverts is found (comparable with what is known of
    peers), by how many of the words are, and by whether the shipped packs still report the advert.
    """
    marked = Union(Term(text=word, category="marked", weight=1) for word in marked_words())
    for technique in LOSSLESS:
        for suffix, goal, finds, against in (
            ("", ">= 0.99", lambda text: bool(_hits(marked, text)), "the same adverts undisguised"),
            (
                ".every_word",
                ">= 0.98",
                lambda text: frozenset(hit.term for hit in _hits(marked, text)),
                "every word undisguised",
            ),
            (".packs", ">= 0.99", lambda text: judge(text) is not None, "reported undisguised"),
        ):
            shares = [_share(finds, technique, seed) for seed in seeds]
            yield _row(f"10.{technique}{suffix}", statistics.mean(shares), goal, "share", against, len(seeds))
    yield _row(
        "8.ads.reported", _level_share(ads(None, SEEDS[0]), "report"), ">= 0.95", "share", "ads.tsv", 1
    )
    yield _row("8.ads.acted", _level_share(ads(None, SEEDS[0]), "act"), ">= 0.9", "share", "ads.tsv", 1)


def false_positives() -> Iterator[Row]:
    """Goals 15 and 4 to 7: what folding adds to plain search, and what the packs do to harmless talk."""
    words = marked_words()
    marked = Union(Term(text=word, category="marked", weight=1) for word in words)
    for name, lines, limit in (
        ("crosswoz", crosswoz(), 0.02),
        ("cold_safe", cold_safe(), 0.1),
        ("benign_work", _lines("benign_work.txt"), 0.6),
    ):
        plain = sum(any(word in line.lower() for word in words) for line in lines)
        all_views = sum(bool(marked.find(line)) for line in lines)
        extra = 100 * (all_views - plain) / len(lines)
        yield _row(f"15.{name}", extra, f"<= {limit}", "percentage points", "plain substring search", 1)
    for name, lines, act, report in (
        ("crosswoz", crosswoz(), 0.05, 0.5),
        ("cold_safe", cold_safe(), 0.05, 2.0),
        ("benign_work", _lines("benign_work.txt"), 0.0, 5.0),
        ("benign_contacts", _lines("benign_contacts.txt"), 0.0, 6.0),
    ):
        yield _row(
            f"4.act.{name}", 100 * _level_share(lines, "act"), f"<= {act}", "%", f"{len(lines)} lines", 1
        )
        yield _row(
            f"7.report.{name}",
            100 * _level_share(lines, "report"),
            f"<= {report}",
            "%",
            f"{len(lines)} lines",
            1,
        )


def speed() -> Iterator[Row]:
    """P7: folding and matching a message of 50 characters against a loop of `in` over the same words."""
    for size, goal in ((1_000, 10), (10_000, 100)):
        words = synthetic_words(size)
        messages = synthetic_messages(words)
        union = Union(Term(text=word, category="word", weight=1) for word in words)
        rounds = [
            (
                _cpu(union.find, messages),
                _cpu(lambda text, words=words: naive_search(words, text), messages[:100]),
            )
            for _ in range(SHORT_ROUNDS + 2)
        ][2:]  # the first two warm up
        name = f"P7.{size // 1000}k"
        us = statistics.median(ours for ours, _ in rounds) * 1e6
        ratio = statistics.median(naive / ours for ours, naive in rounds)
        yield _row(name, ratio, f">= {goal}", "times", "`in` over the same words", SHORT_ROUNDS)
        yield _row(
            f"{name}.us", us, "<= 5" if size == 1_000 else "<= 10", "µs", "50 characters, CPU", SHORT_ROUNDS
        )


def stall() -> Iterator[Row]:
    """P12: the longest another thread waits while a word list is rebuilt beside it."""
    for size, goal in ((1_000, 5), (10_000, 20)):
        terms = [Term(text=word, category="word", weight=1) for word in synthetic_words(size)]
        waits = [_longest_wait(lambda terms=terms: Union(terms)) for _ in range(ROUNDS)]
        value = statistics.median(waits) * 1e3
        yield _row(
            f"P12.{size // 1000}k", value, f"<= {goal}", "ms", "a thread that only looks at the clock", ROUNDS
        )


def memory() -> Iterator[Row]:
    """P11, the share of word lists: 20 own words in each of 10,000 groups."""
    yield _row(
        "P11.words", group_words_bytes() / 1e6, "<= 15", "MB", "10,000 groups, 20 of 6,000 words each", 1
    )


def group_words_bytes(groups: int = 10_000, words: int = 20, pool: int = 6_000) -> int:
    """Resident bytes that own words of many groups add, drawn from a common pool."""
    import psutil

    chosen = random.Random(3)
    known = synthetic_words(pool)
    terms = (
        Term(text=word, category="own", group_id=f"g{group}")
        for group in range(groups)
        for word in chosen.sample(known, words)
    )
    load_fold()
    gc.collect()
    before = psutil.Process().memory_info().rss
    union = Union(terms)
    gc.collect()
    after = psutil.Process().memory_info().rss
    assert union.find(known[0], "g0") is not None
    return after - before


def judge(text: str | Sequence[str]) -> Level | None:
    """What the shipped packs make of a message, or of the last messages of one sender."""
    union, packs = shipped(), load_packs()
    joined = text if isinstance(text, str) else "\n".join(text)
    levels = {count.level for count in tally(_hits(union, text), packs, lambda: bool(find_contacts(joined)))}
    return "act" if "act" in levels else "report" if "report" in levels else None


@cache
def shipped() -> Union:
    """The automaton over the shipped packs."""
    packs = load_packs().values()
    return Union((t for p in packs for t in p.terms()), (a for p in packs for a in p.allowed()))


@cache
def marked_words() -> tuple[str, ...]:
    """The words marked in the adverts, without those that fire more than twice on harmless development texts."""
    marked: set[str] = set()
    for parts in parted_ads(SEEDS[0]):
        marked.update(_foldable(text for text, kind in parts if kind == "span"))
    corpus = "\n".join([*crosswoz(), *cold_safe()]).lower()
    return tuple(sorted(word for word in marked if corpus.count(word) <= PURGED_ABOVE))


def ads(technique: str | None, seed: int) -> list[str | list[str]]:
    """The adverts in one disguise (a list of messages where it spreads them), with the same contacts in each."""
    make = generator()
    disguise = make.TECHNIQUES[technique] if technique else None
    texts: list[str | list[str]] = []
    for number, parts in enumerate(parted_ads(seed)):
        texts.append(
            disguise(parts, random.Random(f"{seed}:{number}:{technique}")) if disguise else make.plain(parts)
        )
    return texts


def parted_ads(seed: int) -> list[list[tuple[str, str]]]:
    """The adverts as (text, kind) parts, where the kind says what a spammer would disguise."""
    lines = (line.partition("\t")[2] for line in _lines("ads.tsv"))
    return [generator().parse(line, random.Random(f"{seed}:{number}")) for number, line in enumerate(lines)]


@cache
def generator() -> ModuleType:
    """The disguise generator, loaded from beside the data so that nothing else can import it by accident."""
    path = shared().parents[1] / "tools" / "evasion.py"
    spec = importlib.util.spec_from_file_location("evasion_for_measuring", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shared() -> Path:
    """The folder with the moderation texts."""
    return Path(os.environ.get("GROUPOPS_DATA") or ROOT.parent / "shared" / "data") / "moderation"


def crosswoz() -> list[str]:
    """Harmless service dialogues."""
    return _lines("crosswoz_val.txt")


def cold_safe() -> list[str]:
    """The harmless half of the offence set's development part."""
    return [line.partition("\t")[2] for line in _lines("cold_dev.tsv") if line.startswith("0\t")]


def naive_search(words: Sequence[str], text: str) -> list[str]:
    """What most bots do."""
    return [word for word in words if word in text]


def synthetic_words(size: int) -> list[str]:
    """Keywords of two to six rare characters, one in twenty of Latin letters; equal on every run."""
    dice = random.Random(size)
    letters = [chr(code) for code in range(0x4E00, 0x9FA6, 7)]
    words: set[str] = set()
    while len(words) < size:
        latin = dice.random() < 0.05
        drawn = dice.choices(
            "abcdefghijklmnopqrstuvwxyz" if latin else letters, k=dice.randint(2 + 2 * latin, 6)
        )
        words.update(_foldable(["".join(drawn)]))
    return sorted(words)


def synthetic_messages(keywords: Sequence[str]) -> list[str]:
    """Messages of 50 characters, one in twenty with a keyword."""
    dice = random.Random(5)
    common = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    messages = []
    for number in range(MESSAGES):
        body = "".join(dice.choices(common + "，。 ", k=MESSAGE))
        word = dice.choice(keywords) if number % 20 == 0 else ""
        messages.append((word + body)[:MESSAGE])
    return messages


def _hits(union: Union, text: str | Sequence[str]) -> list[Any]:
    """Hits in one message, or in each of several and across the last three at each step."""
    if isinstance(text, str):
        return list(union.find(text))
    found: list[Any] = []
    for number, message in enumerate(text):
        found.extend(union.find(message))
        across: list[SplitHit] = union.find_across(text[max(0, number - WINDOW + 1) : number + 1])
        found.extend(across)
    return found


def _share(finds: Callable[[Any], bool | frozenset[str]], technique: str, seed: int) -> float:
    """Of what is found in the adverts in plain form, the share that is found in disguise."""
    before = after = 0
    for plain, disguised in zip(ads(None, seed), ads(technique, seed), strict=True):
        known, seen = finds(plain), finds(disguised)
        before += len(known) if isinstance(known, frozenset) else known
        after += len(known & seen) if isinstance(known, frozenset) else known and seen
    return after / before


def _level_share(texts: Sequence[Any], level: Level) -> float:
    """The share of texts that reach a level."""
    reached = ("act",) if level == "act" else ("act", "report")
    return sum(judge(text) in reached for text in texts) / len(texts)


def _foldable(words: Iterable[str]) -> Iterator[str]:
    """The words that are long enough to match, lower case."""
    for word in words:
        try:
            yield fold_term(word)
        except TermError:
            continue


def _lines(name: str) -> list[str]:
    return [line for line in (shared() / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def _cpu(work: Callable[[str], object], messages: Sequence[str]) -> float:
    """CPU seconds per message."""
    start = time.process_time()
    for message in messages:
        work(message)
    return (time.process_time() - start) / len(messages)


def _longest_wait(build: Callable[[], object]) -> float:
    """The longest pause of this thread while another one builds, in seconds of the process's CPU time.

    What the builder burns while it keeps this thread waiting counts; what other processes take does not.
    """
    builder = threading.Thread(target=build)
    longest, seen = 0.0, time.process_time()
    builder.start()
    while True:
        working = builder.is_alive()
        now = time.process_time()
        longest, seen = max(longest, now - seen), now
        if not working:
            return longest
        time.sleep(0)


def _row(name: str, value: float, goal: str, unit: str, against: str, rounds: int) -> Row:
    return {
        "id": name,
        "value": round(value, 4),
        "goal": goal,
        "unit": unit,
        "against": against,
        "rounds": rounds,
    }


def met(row: Row) -> bool:
    """Whether a row reaches its goal."""
    sign, limit = row["goal"].split()
    return bool(row["value"] >= float(limit)) if sign == ">=" else bool(row["value"] <= float(limit))


def main() -> None:
    """Prints the rows, one JSON object a line, with a mark where the goal is missed."""
    for row in rows():
        print(json.dumps(row, ensure_ascii=False) + ("" if met(row) else "  <-- missed"))


if __name__ == "__main__":
    main()
