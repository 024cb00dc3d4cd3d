"""Messages of the wire, written by `make stubs`."""
