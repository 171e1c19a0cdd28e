"""The pytest plugin that reports what every test did; a script for the sandbox."""
