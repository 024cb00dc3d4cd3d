"""Migrations of the core, in order; Tortoise writes them, `groupops migrate` applies them."""
