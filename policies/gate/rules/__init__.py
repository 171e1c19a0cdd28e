"""One rule of the gate per file."""
