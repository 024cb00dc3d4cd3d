"""The wire of the Wechaty Puppet Service: protos (Apache-2.0, see LICENSE) and what `make stubs` writes from them."""
