"""Migrations of moderation, in order; Tortoise writes them, `groupops migrate` applies them."""
