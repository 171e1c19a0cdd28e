"""Libraries of the bundle's environment: late, because one may be missing, and unseen by type checkers."""

from __future__ import annotations

import importlib
from typing import Any


def library(name: str) -> Any:
    """Import a module, e.g. `tokenizers.models`."""
    return importlib.import_module(name)
