"""Red packets: a ledger of what was promised, decided by people; never a means of collecting (C59, C60)."""

from groupops import Manifest

manifest = Manifest(title="红包台账")
