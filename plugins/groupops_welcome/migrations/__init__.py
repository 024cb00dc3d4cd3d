"""Migrations of welcome, in order; Tortoise writes them, `groupops migrate` applies them."""
