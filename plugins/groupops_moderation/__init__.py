"""Moderation: finds what a group's rules forbid, however it is disguised."""
