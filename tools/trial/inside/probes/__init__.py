"""What PYTHONPATH names inside the sandbox; nothing here that a bundle could import by accident."""
