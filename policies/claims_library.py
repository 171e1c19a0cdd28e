"""Tests claims about what the libraries offer: which model families have which head."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.tables import table

_HEAD = re.compile(r"\bAutoModelFor\w+")
_LACKS = r"\b(?:unavailable|not available|does(?: not|n't) exist|has no AutoModelFor\w+|cannot be loaded)\b"
_FAMILY = re.compile(r"\b([A-Z][A-Za-z]+(?:-?v?\d+(?:\.\d+)?)?)(?=[\s\-.,;:)'’`/]|$)")


def model_head(case: Case) -> Iterator[Outcome]:
    """`AutoModelForX is unavailable for Y`: the mapping of transformers tells."""
    head = _HEAD.search(case.text)
    known: dict[str, str] = table("auto_heads")["heads"]
    if head is None or head[0] not in known or not case.says(_LACKS):
        return
    types = {name: frozenset(listed.split()) for name, listed in known.items()}
    families = [t for word in _FAMILY.findall(_HEAD.sub("", case.text)) if (t := _type(word, types))]
    version = table("auto_heads")["version"]
    for family in dict.fromkeys(families):
        if family in types[head[0]]:
            told = f"{version} maps the model type `{family}` to a class of {head[0]}"
            yield Outcome("refuted", told)
        else:
            yield Outcome(
                "confirmed", f"{version} has no class of {head[0]} for the model type `{family}`", 4
            )
        return


def _type(word: str, heads: dict[str, frozenset[str]]) -> str:
    """The model type of a family as prose spells it: `Llama-2` is `llama`; empty when no model is meant."""
    every = frozenset[str]().union(*heads.values())
    spelled = word.lower()
    for name in (spelled, spelled.replace("-", ""), re.sub(r"-?v?\d+(?:\.\d+)?$", "", spelled)):
        if name in every:
            return name
    return ""
