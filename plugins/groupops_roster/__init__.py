"""Roster: who belongs to the group, under which name, and what follows when somebody does not (C05-C14)."""

from groupops import Manifest

manifest = Manifest(title="名册核对")
