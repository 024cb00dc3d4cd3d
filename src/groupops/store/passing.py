"""Tables that pass: an empty database in memory for plugins that keep some, where the core keeps its record elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from groupops.plugin import Manifest


@asynccontextmanager
async def tables_of(manifests: Mapping[str, Manifest]) -> AsyncGenerator[None, None]:
    """Have the tables of plugins open for as long as the block runs.

    Where a database with all of them is open already, that one serves; else one in memory is made.

    Args:
        manifests: plugin → its manifest.

    Raises:
        StoreError: a plugin's tables cannot be made.
    """
    apps = {name: manifest.models for name, manifest in manifests.items() if manifest.models}
    if not apps:
        yield
        return
    from tortoise.context import get_current_context

    from groupops.store.schema import open_passing  # the database is only loaded by who needs it

    standing = get_current_context()
    if standing is not None and standing.apps is not None and set(apps) <= set(standing.apps):
        yield
        return
    context = await open_passing(apps)
    try:
        with context:
            await context.generate_schemas()  # nothing older to be brought up, and a tenth of a second saved
            yield
    finally:
        await context.close_connections()
