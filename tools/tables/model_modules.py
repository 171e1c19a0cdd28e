"""Writes the names of the modules in models of each family: `python -m tools.tables.model_modules CATALOG`.

Run by an interpreter that has torch and transformers; prints JSON for `policies/data/model_modules.json`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HEADS = (
    "AutoModel",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelForQuestionAnswering",
    "AutoModelForMaskedLM",
    "AutoModelForCausalLM",
    "AutoModelForSeq2SeqLM",
)
SIZES = (
    ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers"),
    ("num_decoder_layers",),
)
"""Settings that say how many layers there are."""
LINEAR = ("Linear", "Conv1D")
Model = Any  # the libraries are not installed where this is type-checked


def configs_of(catalog: dict[str, Any]) -> Iterator[Any]:
    """Two-layer configurations of the family, one for each kind of feed-forward layer it comes with."""
    yield _config(catalog, {})
    kinds = {model.get("config", {}).get("feed_forward_proj") for model in catalog["models"]} - {None}
    for kind in sorted(kinds):
        yield _config(catalog, {"feed_forward_proj": kind})


def _config(catalog: dict[str, Any], more: dict[str, Any]) -> Any:
    given = {**catalog["config"], **more}
    kind = given.pop("model_type")
    given |= {name: 2 for names in SIZES for name in names if name in given}
    given |= {"vocab_size": 64, "max_position_embeddings": 64, "n_positions": 64, "type_vocab_size": 2}
    for key in ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"):
        given[key] = 1
    if kind == "gpt_neo":
        given |= {"num_layers": 2, "attention_types": [[["global", "local"], 1]]}
    return importlib.import_module("transformers").AutoConfig.for_model(kind, **given)


def models_of(config: Any) -> Iterator[Model]:
    """The model with every head that the library has for it."""
    transformers = importlib.import_module("transformers")
    for head in HEADS:
        try:
            yield getattr(transformers, head).from_config(config).eval()
        except ValueError:  # the library has no such head for the family
            continue


def tuples_of(model: Model) -> set[str]:
    """Names of the modules whose output is a tuple in a plain forward pass."""
    torch = importlib.import_module("torch")
    found: set[str] = set()

    def note(name: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            if type(output) is tuple:
                found.add(name)

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(note(name))
    words = {"input_ids": torch.ones(1, 4, dtype=torch.long)}
    if "decoder_input_ids" in inspect.signature(model.forward).parameters:
        words["decoder_input_ids"] = words["input_ids"]
    with torch.no_grad():
        model(**words)
    return found


def described(configs: Iterable[Any]) -> dict[str, str]:
    """Module names of all heads (`#` stands for a number), by what they are, and attributes of modules.

    Attributes that every module has are left out.
    """
    plain = set(dir(importlib.import_module("torch").nn.Module()))
    names: dict[str, set[str]] = {"linear": set(), "tuple": set(), "other": set(), "attributes": set()}
    for model in (model for config in configs for model in models_of(config)):
        tuples = tuples_of(model)
        for name, module in model.named_modules():
            kind = "linear" if type(module).__name__ in LINEAR else "tuple" if name in tuples else "other"
            names[kind].add(re.sub(r"\b\d+\b", "#", name))
            names["attributes"] |= set(dir(module))
    names["other"] -= names["tuple"] | {""}
    names["attributes"] = {name for name in names["attributes"] - plain if not name.startswith("_")}
    return {kind: " ".join(sorted(found)) for kind, found in names.items()}


def ids_of(catalog: dict[str, Any]) -> list[str]:
    """Every id of the family that the catalogue knows, old ones without an owner included."""
    ids = [name for model in catalog["models"] for name in model["ids"]]
    return sorted({*ids, *catalog.get("moved", {})})


def main() -> None:
    """Print the table."""
    families: dict[str, Any] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        catalog = json.loads(path.read_text("utf-8"))
        kind = catalog["config"]["model_type"]
        entry = families.setdefault(kind, {"ids": [], **described(configs_of(catalog))})
        entry["ids"] = sorted({*entry["ids"], *ids_of(catalog)})
    version = importlib.import_module("transformers").__version__
    modules = dir(importlib.import_module("torch").nn.Module())
    plain = " ".join(name for name in modules if not name.startswith("_"))
    found = {"transformers": version, "every_module": plain, "families": families}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
