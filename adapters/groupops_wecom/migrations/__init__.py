"""Migrations of the WeCom adapter, in order; Tortoise writes them, `groupops migrate` applies them."""
