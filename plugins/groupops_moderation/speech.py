"""Speech that has to stay free: complaints, and commands in which one repeats what others said."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from groupops import Mention, MessagePosted, Quote

_SLASH = ("/", "\uff0f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Words of `speech.toml`, ready to be looked for."""

    complaint: re.Pattern[str]
    numbered: re.Pattern[str]
    report: tuple[str, ...]

    def complains(self, text: str) -> bool:
        """Whether a text with a grievance word complains rather than mentions."""
        return self.complaint.search(text) is not None

    def is_command(self, event: MessagePosted) -> bool:
        """Whether a message is a command whose giver may have to repeat somebody's words."""
        text = event.text.lstrip("".join(_SLASH)).lstrip()
        if self.numbered.match(text):
            return True
        aimed = any(isinstance(part, Quote | Mention) for part in event.segments)
        return text.startswith(self.report) and (aimed or event.text.startswith(_SLASH))


@cache
def load_speech() -> Speech:
    """The shipped words, read on first use."""
    data = tomllib.loads((files("groupops_moderation") / "speech.toml").read_text(encoding="utf-8"))
    return Speech(
        complaint=_any_of(data["complaint"]),
        numbered=re.compile(rf"(?:{'|'.join(map(re.escape, data['numbered']))})\s*[Tt]?\d"),
        report=tuple(data["report"]),
    )


def _any_of(words: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))
