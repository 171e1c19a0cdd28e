"""Sandboxes: where a bundle's code runs, and what it may use there."""
