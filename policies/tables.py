"""The tables in `policies/data`: facts about packages and names that no bundle carries. Read once."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=32)
def table(name: str) -> dict[str, Any]:  # each table has its own shape, documented where it is used
    """The table `policies/data/<name>.json`."""
    text = resources.files("policies").joinpath("data", f"{name}.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
