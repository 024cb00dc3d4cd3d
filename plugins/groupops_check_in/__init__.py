"""Check-in: who is where at the start of a working day, with consent and as little as possible kept (C44)."""

from groupops import Manifest

manifest = Manifest(title="打卡")
