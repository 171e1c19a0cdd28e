"""Whether there is a model to ask; apart from the models, which are slow to import and seldom asked."""

from __future__ import annotations

import os
from collections.abc import Mapping


def endpoint_configured(env: Mapping[str, str] = os.environ) -> bool:
    """Whether `--llm auto` means on."""
    return bool(env.get("OPENAI_API_KEY") or env.get("OPENAI_BASE_URL"))
