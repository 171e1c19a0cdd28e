"""Six small algorithms."""
