"""The same plugin's tables one version later: a column more, and an index."""
