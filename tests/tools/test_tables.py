"""Tables that are made from the hub double's catalogue say what the catalogue says."""

from __future__ import annotations

import json
from pathlib import Path

import tools.doubles.hub
from policies.tables import table as shipped
from tools.tables.datasets import table

CATALOG = Path(tools.doubles.hub.__file__).parent / "catalog"


def test_data_sets_are_those_of_the_catalogue() -> None:
    assert shipped("datasets") == table(CATALOG / "datasets")


def test_models_are_those_of_the_catalogue() -> None:
    families = shipped("model_modules")["families"]
    for path in sorted((CATALOG / "models").glob("*.json")):
        catalog = json.loads(path.read_text("utf-8"))
        ids = {name for model in catalog["models"] for name in model["ids"]} | set(catalog.get("moved", {}))
        assert ids <= set(families[catalog["config"]["model_type"]]["ids"])


def test_known_names_are_in_the_table() -> None:
    families = shipped("model_modules")["families"]
    linear = {family: set(said["linear"].split()) for family, said in families.items()}
    assert "transformer.layer.#.attention.q_lin" in linear["distilbert"]
    assert "model.layers.#.self_attn.q_proj" in linear["qwen3"]
    assert "transformer.h.#.attn.c_attn" in linear["gpt2"]
    assert {
        "encoder.block.#.layer.#.DenseReluDense.wi",
        "encoder.block.#.layer.#.DenseReluDense.wi_0",
    } <= linear["t5"]
    assert "num_heads" not in families["llama"]["attributes"].split()
    assert "layers.#" not in families["llama"]["tuple"].split()
