"""Reads what other programs wrote: chat transcripts and rosters; every reader says which line is wrong and why."""
