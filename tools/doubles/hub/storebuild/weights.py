"""Random weights of the right architecture, from the environment's own transformers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .outside import library

SEED = 20240101


class Unbuildable(Exception):
    """The environment's transformers cannot make this architecture."""


def random_weights(config: dict[str, Any], architecture: str, dtype: str) -> bytes:
    """The content of `model.safetensors` for a config. Raises Unbuildable."""
    torch, transformers = library("torch"), library("transformers")

    model_class = getattr(transformers, architecture, None)
    if model_class is None or not hasattr(model_class, "config_class"):
        raise Unbuildable(f"transformers {transformers.__version__} has no {architecture}")
    torch.manual_seed(SEED)
    model = model_class(model_class.config_class.from_dict(dict(config))).to(getattr(torch, dtype))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, safe_serialization=True)
        return (Path(folder) / "model.safetensors").read_bytes()
