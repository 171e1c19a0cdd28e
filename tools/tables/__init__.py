"""Makers of tables in `policies/data` whose facts come from libraries or the hub double's catalogue."""
