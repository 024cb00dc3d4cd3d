"""WeChat through a Wechaty Puppet Service, over gRPC."""
