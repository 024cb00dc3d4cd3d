"""Starts NoneBot with the adapters named in `.env`, then groupops: `python bot.py`, or `nb run`."""

import sys

from groupops.bridge import serve
from groupops.errors import GroupOpsError
from groupops.operations import LoguruLog, assemble, read_start

if __name__ == "__main__":
    try:
        serve(assemble(read_start(), log=LoguruLog()))
    except GroupOpsError as error:
        sys.exit(f"groupops: {error}")
