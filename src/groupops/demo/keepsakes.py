"""What the demo leaves behind: the files people of the story were sent, in one folder and nowhere else."""

from __future__ import annotations

from pathlib import Path

from groupops.actions import Action, SendFile, SendImage
from groupops.errors import ConfigError

FOLDER = "groupops-demo"
"""Folder under the current directory unless another is named."""

BOARD = "board.png"
"""Name of the board's picture; pictures travel without a name."""


class Keepsakes:
    """Writes the files the bot sent into a folder.

    Args:
        folder: where to; made when the first file is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []

    def keep(self, action: Action) -> Path | None:
        """Write what an action carries, and give where it stands; None when it carries no file.

        Raises:
            ConfigError: the folder cannot be written; says what to do.
        """
        match action:
            case SendImage(data=data):
                return self._write(BOARD, data)
            case SendFile(name=name, data=data):
                return self._write(Path(name).name, data)
            case _:
                return None

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written ({error.strerror}); name another folder with: groupops demo --out FOLDER"
            ) from error
        if path not in self.files:
            self.files.append(path)
        return path

    @property
    def picture(self) -> Path | None:
        """The board as a picture; None where there was no font to draw it with."""
        return next((file for file in self.files if file.name == BOARD), None)

    @property
    def tables(self) -> tuple[Path, ...]:
        """The workbooks, in the order they were sent."""
        return tuple(file for file in self.files if file.suffix == ".xlsx")
