"""Migrations of check-in, in order; Tortoise writes them, `groupops migrate` applies them."""
