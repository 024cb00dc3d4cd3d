"""The shelf of policy packs: TOML files, one per regulation, read and put in order of who extends whom."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from groupops.errors import PackError

NOT_TABLES = frozenset({"schema", "pack"})
"""What a pack file may have besides tables of settings."""


class PackHeader(BaseModel):
    """The table `[pack]`: what the file is, not what it sets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", title="规则包编号")
    title: str = Field("", title="规章名称")
    extends: str = Field("", title="以哪个规则包为基础")
    source_texts: tuple[str, ...] = Field(
        (), validation_alias=AliasChoices("source_texts", "source"), title="依据的文本"
    )
    org_type: Literal["any", "company", "public_unit", "association", "team", "community"] = Field(
        "any", title="适用的组织"
    )
    effective: date | None = Field(None, title="生效日期,留空即发布时生效")
    timezone: str = Field("Asia/Shanghai", title="时区")
    version: str = Field("", title="版本")
    notes: str = Field("", title="说明")
    chapters: dict[str, str] = Field(default_factory=dict[str, str], title="各章标题(章的编号到标题)")

    @field_validator("effective", mode="before")
    @classmethod
    def _empty_is_at_once(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("source_texts", mode="before")
    @classmethod
    def _one_text_is_a_list_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"no such timezone{nearest(value, available_timezones())}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One policy pack, as its file says it; what it extends is not in it.

    Args:
        id: how groups name it.
        title: the regulation's title.
        extends: id of its single parent, or empty.
        source_texts: the texts it was made from.
        effective: before this day nothing is enforced; None = at once, or as the parent says.
        timezone: IANA name for groups bound to it, unless the group says otherwise.
        tables: table → what it sets explicitly.
        path: the file, for messages.
        shipped: True when it came with groupops.
        header: the whole `[pack]` table.
    """

    id: str
    title: str = ""
    extends: str = ""
    source_texts: tuple[str, ...] = ()
    effective: date | None = None
    timezone: str = "Asia/Shanghai"
    tables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    path: str = ""
    shipped: bool = False
    header: PackHeader | None = None

    def __str__(self) -> str:
        return f"pack {self.id!r} ({self.path})" if self.path else f"pack {self.id!r}"


def parse_pack(text: str, *, path: str = "", shipped: bool = False) -> Pack:
    """Read a pack from TOML.

    Args:
        text: the file's text.
        path: where it lies, for messages.
        shipped: True when it came with groupops.

    Raises:
        PackError: not TOML, or `[pack]` is missing or wrong. What the other tables hold is checked by
            `settings.resolve`, which knows the plugins.
    """
    where = path or "a pack"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{where} is not TOML: {error}") from error
    if data.get("schema", 1) != 1:
        raise PackError(f"{where}: schema = {data['schema']!r}, but this version reads schema = 1 only")
    header = _header(data.get("pack"), where)
    tables = {name: table for name, table in data.items() if name not in NOT_TABLES}
    return Pack(
        id=header.id,
        title=header.title,
        extends=header.extends,
        source_texts=header.source_texts,
        effective=header.effective,
        timezone=header.timezone,
        tables=tables,
        path=path,
        shipped=shipped,
        header=header,
    )


def _header(raw: Any, where: str) -> PackHeader:
    if not isinstance(raw, dict):
        raise PackError(f'{where} has no table [pack]; add one with at least: id = "my-pack"')
    try:
        return PackHeader.model_validate(raw)
    except ValidationError as error:
        lines = [_header_fault(dict(fault)) for fault in error.errors()]
        raise PackError(f"{where}: " + "; ".join(lines)) from error


def _header_fault(fault: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key pack.{key}{nearest(key, PackHeader.model_fields)}"
    if fault["type"] == "missing":
        return f"key pack.{key} is missing"
    return f"pack.{key} = {fault['input']!r}: {fault['msg']}"


def nearest(word: str, valid: Iterable[str], *, every: bool = False) -> str:
    """Say which valid word was meant: `; did you mean 'x'?`, else `; valid are …`.

    Args:
        word: what was written.
        valid: what could have been written.
        every: True to list all valid words besides.
    """
    known = sorted(str(name) for name in valid)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    listed = f"; valid are: {', '.join(known)}" if known and (every or not close) and len(known) <= 60 else ""  # noqa: PLR2004 - a screenful
    return meant + listed


class PackShelf:
    """All packs there are, by id.

    Args:
        packs: the packs; every `extends` among them must be there and lead nowhere back.

    Raises:
        PackError: two packs have one id, a parent is missing, or packs extend one another in a circle.
    """

    def __init__(self, packs: Iterable[Pack] = ()) -> None:
        self._packs: dict[str, Pack] = {}
        for pack in packs:
            other = self._packs.setdefault(pack.id, pack)
            if other is not pack:
                raise PackError(f"{pack} has the id of {other}; give one of them another id")
        for pack in self._packs.values():
            self.chain(pack.id)

    @classmethod
    def load(cls, dirs: Iterable[Path] = (), *, shipped: bool = True) -> PackShelf:
        """Read the packs that came with groupops and those in the operator's directories.

        Args:
            dirs: directories with `*.toml` files (`GROUPOPS_PACKS_DIR`).
            shipped: False leaves out the packs that came with groupops.

        Raises:
            PackError: a directory is not there, or a pack in it is wrong.
        """
        packs = list(_shipped()) if shipped else []
        for folder in dirs:
            packs += _in_folder(folder)
        return cls(packs)

    def plus(self, *packs: Pack) -> PackShelf:
        """Give a shelf with more packs on it."""
        return PackShelf([*self._packs.values(), *packs])

    def get(self, pack_id: str) -> Pack:
        """Give one pack.

        Raises:
            PackError: there is none of this id; the text names the nearest one.
        """
        pack = self._packs.get(pack_id)
        if pack is None:
            raise PackError(f"there is no pack {pack_id!r}{nearest(pack_id, self._packs, every=True)}")
        return pack

    def chain(self, pack_id: str) -> tuple[Pack, ...]:
        """Give a pack with all that it extends, the farthest ancestor first.

        Raises:
            PackError: an ancestor is missing, or the chain comes back to itself; the text names the chain.
        """
        chain = [self.get(pack_id)]
        while chain[-1].extends:
            last = chain[-1]
            names = [pack.id for pack in chain]
            if last.extends in names:
                circle = " → ".join([*names[names.index(last.extends) :], last.extends])
                raise PackError(f"packs extend one another in a circle: {circle}; first of them: {last}")
            if last.extends not in self._packs:
                raise PackError(
                    f"{last}: pack.extends = {last.extends!r}, but there is no such pack"
                    f"{nearest(last.extends, self._packs, every=True)}"
                )
            chain.append(self._packs[last.extends])
        return tuple(reversed(chain))

    def line(self, pack_ids: Iterable[str]) -> tuple[Pack, ...]:
        """Give all packs that apply when these are bound, in the order in which they are laid over one another.

        Each pack comes after what it extends; an ancestor that two of them share is laid once, at its first
        place, so that the second one does not undo what the first one says.
        """
        return tuple({pack.id: pack for pack_id in pack_ids for pack in self.chain(pack_id)}.values())

    def __iter__(self) -> Iterator[Pack]:
        return iter(sorted(self._packs.values(), key=lambda pack: pack.id))

    def __len__(self) -> int:
        return len(self._packs)

    def __contains__(self, pack_id: object) -> bool:
        return pack_id in self._packs


@cache
def _shipped() -> tuple[Pack, ...]:
    """Read the packs that came with groupops; package data stays the same while a process lives."""
    folder = resources.files("groupops").joinpath("packs")
    return tuple(
        parse_pack(file.read_text("utf-8"), path=f"groupops/packs/{file.name}", shipped=True)
        for file in _toml_files(folder)
    )


def _in_folder(folder: Path) -> Iterator[Pack]:
    if not folder.is_dir():
        raise PackError(f"{folder} is not a directory; GROUPOPS_PACKS_DIR must name one with *.toml files")
    for file in _toml_files(folder):
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise PackError(f"{file} is not UTF-8: {error}; save it as UTF-8") from error
        yield parse_pack(text, path=str(file))


def _toml_files(folder: Traversable) -> list[Traversable]:
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
