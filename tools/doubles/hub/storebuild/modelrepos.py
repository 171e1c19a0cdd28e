"""Model repositories: config as data, tokenizer, random weights, and what is assumed about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .blobs import Blobs, revision
from .tokenizerfiles import Tokenizers
from .weights import Unbuildable, random_weights

Say = Callable[[str], None]
# Parts of a config that no parameter's shape depends on.
SHAPELESS = ("label2id", "rope_theta", "rope_scaling", "sliding_window", "max_window_layers", "torch_dtype")
Repos = dict[str, dict[str, Any]]


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _card(card: dict[str, Any]) -> bytes:
    # JSON is YAML, which is what the front matter of a card has to be.
    return f"---\n{json.dumps(card)}\n---\n\nRandom weights; a stand-in for rehearsals.\n".encode()


def _shape(config: dict[str, Any]) -> dict[str, Any]:
    """What decides the parameters, so that configs that differ elsewhere share them."""
    shape = {k: v for k, v in config.items() if k not in SHAPELESS and not k.endswith("_token_id")}
    if "id2label" in shape:
        shape["id2label"] = len(shape["id2label"])
    if "rope_theta" in config:
        shape.pop("max_position_embeddings", None)
    return shape


def assumptions(name: str, model: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    """What differs from the real repository, one sentence each."""
    smaller = [f"{key} {config[key]} instead of {real}" for key, real in model["real"].items()]
    yield f"{name} is a small stand-in with random weights (among others {', '.join(smaller)})"
    if model.get("gated"):
        yield f"{name} is gated on the real hub; its licence is assumed to be accepted"


class ModelRepos:
    """Builds the model repositories of one catalogue; weights of equal configs are made once."""

    def __init__(self, blobs: Blobs, tokenizers: Tokenizers, say: Say) -> None:
        self.blobs, self.tokenizers, self.say = blobs, tokenizers, say
        self._weights: dict[str, bytes | None] = {}

    def family(self, family: dict[str, Any]) -> Repos:
        """Every repository of a family."""
        self.say(f"models of the {family['family']} family")
        repos: Repos = {}
        for model in family["models"]:
            for name in model["ids"]:
                repos[name] = self._repository(name, family, model)
        repos.update(self._bare(family.get("files_only")))
        return repos

    def _repository(self, name: str, family: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
        config = {**family["config"], **model.get("config", {})}
        shown = (
            config
            if model.get("silent_architecture")
            else {"architectures": [model["architecture"]], **config}
        )
        card = {**family["card"], **model.get("card", {})}
        files = {"README.md": _card(card), "config.json": _json(shown)}
        files.update({path: _json(value) for path, value in model.get("extra", {}).items()})
        if "generation" in model:
            files["generation_config.json"] = _json(model["generation"])
        assume = list(assumptions(name, model, config))
        overrides, only = model.get("tokenizer_config", {}), model.get("tokenizer_files")
        tokenizer = self.tokenizers.files(model["tokenizer"], overrides, only)
        tokenizer, clash = self.tokenizers.repaired(model["tokenizer"], tokenizer, files["config.json"])
        files.update(tokenizer)
        if clash:
            assume.append(
                f"{name} is served with a tokenizer.json that the real one lacks, because of {clash}"
            )
        weights = self._weight_file(config, model)
        if weights is None:
            assume.append(
                f"{name} is served without weights: the environment's transformers cannot make them"
            )
        else:
            files["model.safetensors"] = weights
        return {"revisions": {"main": revision(self.blobs, files)}, "card": card, "assume": assume}

    def _weight_file(self, config: dict[str, Any], model: dict[str, Any]) -> bytes | None:
        architecture, dtype = model["architecture"], model.get("dtype", "float32")
        key = json.dumps([_shape(config), architecture, dtype], sort_keys=True)
        if key not in self._weights:
            try:
                self._weights[key] = random_weights(config, architecture, dtype)
            except Unbuildable as error:
                self.say(str(error))
                self._weights[key] = None
        return self._weights[key]

    def _bare(self, bare: dict[str, Any] | None) -> Repos:
        """Repositories that exist but hold nothing that transformers can load."""
        if bare is None:
            return {}
        repos: Repos = {}
        built = self.tokenizers.built(bare["tokenizer"])
        for name in bare["ids"]:
            files = {"README.md": _card({}), "params.json": b"{}\n", **{n: built[n] for n in bare["files"]}}
            gated = [f"{name} is gated on the real hub; its licence is assumed to be accepted"]
            assume = [f"{name} {bare['why']}", *(gated if bare.get("gated") else ())]
            repos[name] = {"revisions": {"main": revision(self.blobs, files)}, "card": {}, "assume": assume}
        return repos
