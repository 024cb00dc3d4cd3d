"""Holds the import directions of the project: python scripts/check_imports.py [root of a checkout].

The contracts are written for what lies in the three source roots, so a plugin comes and goes with its folder.
Exit code 0: all kept; 1: one is broken; 2: a module has no layer yet.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import grimp
from importlinter.cli import lint_imports

LAYERS: dict[str, frozenset[str]] = {
    "shore": frozenset(
        "cli bridge lanes config doctor views rehearsal advise console store importers scenario rehearsal demo operations testing desk "
        "contracts_platform".split()
    ),
    "engine": frozenset(
        "engine flow hooks settings shelf revisions sanctions casebook obligations ticker wire plan directory "
        "member_lists commands outbox packs answers echoes enrolment errands pace delivery scans health notebook heard homes".split()
    ),
    # Ports are part of the contract, and the counters' two implementations lie beside theirs.
    "contract": frozenset(
        "platform plugin hookspecs records clock calendar policy counters profiles".split()
    ),
    "words": frozenset("people events actions verdicts errors altered".split()),
}
DOORS = frozenset({"groupops", "groupops.importers"})
"""What plugins and adapters may import of the core: the words, and the readers of other programs' files."""
NONEBOT_ROOMS = frozenset({"groupops.bridge"})
TORTOISE_ROOMS = frozenset({"groupops.store"})
NONEBOT_ONLY = frozenset({"adapter", "bot", "event", "message"})
ADAPTERS_FOR_ANYBODY: dict[str, frozenset[str]] = {
    "groupops_wecom": NONEBOT_ONLY
    | frozenset("archive chats config exception jsonl letters qyapi testing webhook".split()),
    "groupops_wechat": NONEBOT_ONLY,
}
"""Adapters any NoneBot bot may use, and the rooms it enters them by; the package's own door is one of them too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """The importable packages of a checkout."""

    plugins: tuple[str, ...]
    adapters: tuple[str, ...]
    modules: frozenset[str]

    @property
    def guests(self) -> tuple[str, ...]:
        """Plugins and adapters."""
        return self.plugins + self.adapters

    def within(self, *packages: str) -> list[str]:
        """Every module of these packages, sorted."""
        heads = tuple(f"{package}." for package in packages)
        return sorted(module for module in self.modules if module in packages or module.startswith(heads))


def look(root: Path) -> Tree:
    """Find the packages under the three source roots of `root`."""
    modules = {name for source in ("src", "plugins", "adapters") for name in _modules(root / source)}
    return Tree(
        plugins=_packages(root / "plugins"), adapters=_packages(root / "adapters"), modules=frozenset(modules)
    )


def _packages(source: Path) -> tuple[str, ...]:
    return tuple(sorted(init.parent.name for init in source.glob("*/__init__.py")))


def _modules(source: Path) -> list[str]:
    paths = [path.relative_to(source).with_suffix("") for path in source.glob("groupops*/**/*.py")]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def unplaced(tree: Tree) -> list[str]:
    """Rooms of the core that no layer names: each must be given one before anything can be said of it."""
    placed = frozenset().union(*LAYERS.values())
    rooms = {module.split(".")[1] for module in tree.within("groupops") if "." in module}
    return sorted(rooms - placed - {"__main__"})


def contracts(tree: Tree) -> str:
    """The contracts for this tree, as import-linter's own INI file."""
    core, guests = tree.within("groupops"), tree.within(*tree.guests)
    rooms = [module for module in core if module not in DOORS]
    words = [f"groupops.{word}" for word in sorted(LAYERS["words"]) if f"groupops.{word}" in core]
    native = [m for m in guests if _is_native(m)]
    no_nonebot = [m for m in core + tree.within(*tree.plugins) if not _in(m, NONEBOT_ROOMS)]
    no_tortoise = [m for m in core + guests if not _in(m, TORTOISE_ROOMS) and not _is_table(m)]
    sections = [
        _section(
            "importlinter", root_packages=["groupops", *tree.guests], include_external_packages=["True"]
        ),
        _layers(tree),
        _forbid("Only the bridge and the adapters know NoneBot", no_nonebot, ["nonebot"]),
        _forbid("Only the store, models and migrations know Tortoise", no_tortoise, ["tortoise"]),
        _forbid("The words stand on the standard library alone", words, _third_parties(tree)),
        _forbid("The core knows no plugin and no adapter", core, guests),
        _forbid("Plugins and adapters know only what `groupops` exports", guests, rooms),
        _forbid("A NoneBot adapter for anybody imports no groupops", native, core, indirectly=True),
        _independent(tree),
    ]
    return "\n".join(section for section in sections if section)


def _in(module: str, rooms: frozenset[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _is_table(module: str) -> bool:
    _, *inner = module.split(".")
    return bool(inner) and inner[0] in {"models", "migrations"}


def _is_native(module: str) -> bool:
    package, *inner = module.split(".")
    return package in ADAPTERS_FOR_ANYBODY and (not inner or inner[0] in ADAPTERS_FOR_ANYBODY[package])


def _third_parties(tree: Tree) -> list[str]:
    graph = grimp.build_graph("groupops", *tree.guests, include_external_packages=True, cache_dir=None)
    tops = {module.split(".")[0] for module in graph.modules}
    return sorted(tops - sys.stdlib_module_names - {"groupops", *tree.guests})


def _layers(tree: Tree) -> str:
    rooms = {module.split(".")[1] for module in tree.within("groupops") if "." in module}
    lines = [" : ".join(sorted(rooms & names)) for names in LAYERS.values() if rooms & names]
    return _section(
        "importlinter:contract:layers",
        name=["shore over engine over contract over words"],
        type=["layers"],
        containers=["groupops"],
        layers=lines,
    )


def _forbid(name: str, sources: list[str], forbidden: list[str], *, indirectly: bool = False) -> str:
    if not sources or not forbidden:
        return ""
    return _section(
        f"importlinter:contract:{name}",
        name=[name],
        type=["forbidden"],
        source_modules=sources,
        forbidden_modules=forbidden,
        allow_indirect_imports=[str(not indirectly)],
        as_packages=["False"],
    )


def _independent(tree: Tree) -> str:
    if len(tree.guests) < 2:  # noqa: PLR2004 - it takes two to know one another
        return ""
    return _section(
        "importlinter:contract:independence",
        name=["Plugins and adapters do not know one another"],
        type=["independence"],
        modules=list(tree.guests),
    )


def _section(title: str, **options: list[str]) -> str:
    lines = [f"[{title}]"]
    for key, values in options.items():
        lines += [f"{key} = {values[0]}"] if len(values) == 1 else [f"{key} =", *(f"    {v}" for v in values)]
    return "\n".join(lines) + "\n"


def main(root: Path) -> int:
    """Check the checkout at `root`; say what is wrong on stdout and return the exit code."""
    sys.path[:0] = [str(root / source) for source in ("src", "plugins", "adapters")]
    tree = look(root)
    for room in unplaced(tree):
        print(f"groupops.{room} has no layer: give it one in LAYERS of scripts/check_imports.py")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "contracts.ini"
        config.write_text(contracts(tree), encoding="utf-8")
        broken = lint_imports(config_filename=str(config), no_cache=True, no_logo=True)
    return broken or (2 if unplaced(tree) else 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()))
