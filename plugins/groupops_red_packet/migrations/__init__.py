"""Migrations of the red packets' ledger, in order; Tortoise writes them, `groupops migrate` applies them."""
