"""Takes the words out of the shipped packs that harmless talk runs into.

    python scripts/purge_words.py [--write] [FILE…]

FILEs hold more harmless lines, one a line, besides those that ship. Without `--write` the findings are only
printed; the exit code is 1 if there are any. A word that would become a hint is taken out as well: write it into a
hint facet yourself, if it is worth it.
"""

import re
import sys
from pathlib import Path

from groupops_moderation.matcher import fold_term
from groupops_moderation.packs import load_harmless, load_packs
from groupops_moderation.purge import purge

WORDS = Path(__file__).parents[1] / "plugins/groupops_moderation/words"


def main() -> int:
    """Prints the findings; with `--write`, edits the packs."""
    write = "--write" in sys.argv
    files = [Path(name) for name in sys.argv[1:] if not name.startswith("--")]
    lines = [
        *load_harmless(),
        *(line for file in files for line in file.read_text("utf-8").splitlines() if line),
    ]
    findings = [finding for pack in load_packs().values() for finding in purge(pack, lines)[1]]
    for finding in findings:
        print(
            f"{finding.category}: {finding.term} hits {finding.lines} of {len(lines)} lines: {finding.advice}"
        )
    if write:
        for category in load_packs():
            take_out(WORDS / f"{category}.toml", {f.term for f in findings if f.category == category})
    return 1 if findings and not write else 0


def take_out(file: Path, terms: set[str]) -> None:
    """Removes words from the word blocks of a pack and leaves the rest of the file as it is."""
    folded = {fold_term(term) for term in terms}
    blocks = re.compile(r'"""(.*?)"""', re.DOTALL)
    text = file.read_text(encoding="utf-8")
    file.write_text(blocks.sub(lambda block: f'"""{without(block[1], folded)}"""', text), encoding="utf-8")


def without(block: str, folded: set[str]) -> str:
    """A block of words without some of them, line by line."""
    return "\n".join(
        " ".join(word for word in line.split() if fold_term(word) not in folded) for line in block.split("\n")
    )


if __name__ == "__main__":
    sys.exit(main())
