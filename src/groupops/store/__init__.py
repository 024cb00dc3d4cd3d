"""The store: Tortoise tables of the core, and a record kept in memory for rehearsals."""
