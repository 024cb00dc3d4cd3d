"""Helpers that tests import; the fixtures built on them are in conftest.py."""
