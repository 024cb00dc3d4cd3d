"""The errors of groupops, as one tree.

GroupOpsError
├── ConfigError            a setting, a pack or a file an operator wrote is wrong
│   ├── PackError            a policy pack cannot be loaded
│   └── ImportFailed         a table or transcript has rows that cannot be read
├── PluginError            a plugin breaks the contract
├── StoreError             the database refuses
│   ├── StoreBehind          its schema is older than the code
│   ├── Unstorable           what is to be written cannot be, now or later
│   └── Conflict             somebody else changed the row first
├── PlatformError          a platform cannot answer a question (actions have receipts instead)
├── CommandError           a command was given wrongly; the text is the answer to the giver
└── ScenarioError          a scenario file says something no step understands
"""

from __future__ import annotations


class GroupOpsError(Exception):
    """Root of all errors groupops raises; its text says what to do."""


class ConfigError(GroupOpsError, ValueError):
    """Something an operator wrote is wrong; the text names file, line or key, value and expectation."""


class PackError(ConfigError):
    """A policy pack cannot be loaded."""


class ImportFailed(ConfigError):
    """A file that is imported has rows that cannot be read; nothing of it was kept.

    Args:
        what: the file's name.
        rows: one sentence per faulty row, each naming row, column, value and expectation.
    """

    def __init__(self, what: str, rows: list[str]) -> None:
        self.what = what
        self.rows = rows
        shown = "\n".join(f"  {row}" for row in rows[:20])
        more = f"\n  … and {len(rows) - 20} more" if len(rows) > 20 else ""  # noqa: PLR2004 - a screenful
        super().__init__(f"{what}: nothing was imported, {len(rows)} row(s) are wrong:\n{shown}{more}")


class PluginError(GroupOpsError):
    """A plugin breaks the contract.

    Args:
        plugin: its name.
        fault: what is wrong and what to do.
    """

    def __init__(self, plugin: str, fault: str) -> None:
        self.plugin = plugin
        super().__init__(f"plugin {plugin!r} {fault}")


class StoreError(GroupOpsError):
    """The database cannot be used."""


class StoreBehind(StoreError):
    """The database's schema is older than the code; `groupops migrate` brings it up."""


class Unstorable(StoreError):
    """What is to be written is refused for what it is (too long, too large, something left out): asking again is no use."""


class Conflict(StoreError):
    """A row was changed by somebody else since it was read; read it again and decide anew."""


class PlatformError(GroupOpsError):
    """A platform cannot answer a question; what becomes of an action is a receipt, never an error."""


class CommandError(GroupOpsError):
    """A command was given wrongly; the text is what its giver is told."""


class ScenarioError(GroupOpsError):
    """A scenario cannot be played; the text names file, line and step."""
