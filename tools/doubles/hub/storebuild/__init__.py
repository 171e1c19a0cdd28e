"""Builds the store of the hub double; runs by the interpreter of the bundle's environment."""
