"""Welcome: newcomers are greeted, shown the rules and accompanied until they have settled in (C15, C16)."""

from groupops import Manifest

manifest = Manifest(title="入群引导")
