"""Rehearses a policy on history: a transcript goes through the same flow, and nothing reaches anybody."""

from groupops.rehearsal.replay import Recorder, rehearse
from groupops.rehearsal.report import Comparison, Finding, Hit, Report, Standing
from groupops.rehearsal.view import run_rehearsal, show

__all__ = [
    "Comparison",
    "Finding",
    "Hit",
    "Recorder",
    "Report",
    "Standing",
    "rehearse",
    "run_rehearsal",
    "show",
]
