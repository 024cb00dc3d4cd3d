"""The tables of docs/adapters_wecom.md, out of the data: `python -m groupops_wecom.page` writes them anew."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from groupops import Capability
from groupops_wecom.options import Options
from groupops_wecom.profile import Profile, profiles

PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """Give the page with every generated part written anew."""
    return PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}{part[3]}", text)


def can_table() -> str:
    """Give what each mode can do."""
    able = [one for one in Capability if any(one in profile.can for profile in profiles().values())]
    return _table(
        "能力", ((str(one), [_can(profile, one) for profile in profiles().values()]) for one in able)
    )


def _can(profile: Profile, what: Capability) -> str:
    if what not in profile.can:
        return "–"
    return "◐" if what in profile.fleeting else "✓"


def hears_table() -> str:
    """Give what each mode sees."""
    kinds = sorted({kind for profile in profiles().values() for kind in profile.hears | profile.privately})
    return _table(
        "事实", ((kind, [_hears(profile, kind) for profile in profiles().values()]) for kind in kinds)
    )


def _hears(profile: Profile, kind: str) -> str:
    if kind in profile.privately:
        return "私下"
    return "✓" if kind in profile.hears else "–"


def options_table() -> str:
    """Give the keys of groupops' own half."""
    rows = [
        f"| `{name.upper()}` | `{json.dumps(info.default, ensure_ascii=False)}` | {info.title} |"
        for name, info in Options.model_fields.items()
    ]
    return "\n".join(["| 键 | 缺省 | 意思 |", "| --- | --- | --- |", *rows, ""])


def _table(head: str, rows: Iterable[tuple[str, list[str]]]) -> str:
    names = [f"`{name}`" for name in profiles()]
    lines = [f"| {head} | {' | '.join(names)} |", f"| --- |{' :-: |' * len(names)}"]
    lines += [f"| `{key}` | {' | '.join(cells)} |" for key, cells in rows]
    return "\n".join([*lines, ""])


def modes_list() -> str:
    """Give the modes, one a line."""
    return "".join(f"- `{name}`:{profile.title}\n" for name, profile in profiles().items())


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"modes": modes_list, "can": can_table, "hears": hears_table, "options": options_table}
)

if __name__ == "__main__":
    page = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/adapters_wecom.md")
    page.write_text(filled(page.read_text("utf-8")), encoding="utf-8")
