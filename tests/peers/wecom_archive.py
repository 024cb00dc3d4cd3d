"""The models of the peer pywecomarchive, asked by lines of JSON: `python wecom_archive.py`, with its own interpreter.

A line in is a decrypted message; a line out says which model took it and what stands in it, or `wrong`.
"""

from __future__ import annotations

import json
import sys

from pywecomarchive.models import message_adapter  # type: ignore[import-not-found]


def main() -> None:
    for line in sys.stdin:
        (message,) = json.loads(line)["args"]
        try:
            read = message_adapter.validate_python(message)
            said = {"done": {"model": type(read).__name__, "message": read.model_dump(mode="json")}}
        except ValueError as error:
            said = {"wrong": str(error)}
        print(json.dumps(said, ensure_ascii=False), flush=True)  # noqa: T201 - whoever asked reads it


if __name__ == "__main__":
    main()
