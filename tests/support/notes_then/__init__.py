"""A plugin's tables as an older version had them."""
