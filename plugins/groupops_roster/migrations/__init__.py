"""Migrations of the roster, in order; Tortoise writes them, `groupops migrate` applies them."""
