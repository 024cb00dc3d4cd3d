"""Detectors: what word lists cannot say, such as addresses, numbers with check digits, markings and patterns."""
