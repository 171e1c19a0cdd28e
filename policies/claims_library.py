"""Tests claims about what the libraries offer: heads of model families, names that are said to be gone.

Source: `policies/data/auto_heads.json` lists the mappings of transformers' `models/auto/modeling_auto.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.api_library import Known, Library, Missing
from policies.claims_base import Case, Outcome
from policies.hydra.names import origin
from policies.tables import table

_HEAD = re.compile(r"\bAutoModelFor\w+")
_LACKS = r"\b(?:unavailable|not available|does(?: not|n't) exist|has no AutoModelFor\w+|cannot be loaded)\b"
_FAMILY = re.compile(r"\b([A-Z][A-Za-z]+(?:-?v?\d+(?:\.\d+)?)?)(?=[\s\-.,;:)'’`/]|$)")


_GONE = re.compile(
    r"\b(?:(?:was|were|is|has been|have been) (?:\w+ )?removed (?:in|from|since)|no longer exists?|"
    r"does(?: not|n't) exist(?: in)?|is not (?:a )?part of)\b",
    re.IGNORECASE,
)
_SPAN = re.compile(r"`([A-Za-z_][\w.]*)(?:\(\))?`")
_OBJECTS = {
    "tokenizer": "transformers.PreTrainedTokenizerBase",
    "tok": "transformers.PreTrainedTokenizerBase",
}
"""Names that mean an object of one class in all such code."""


def gone(case: Case) -> Iterator[Outcome]:
    """`x was removed in version n`: the tables of the packages know every public name."""
    match = _GONE.search(case.body)
    if match is None:
        return
    before = _SPAN.findall(case.body[: match.start()])
    if not before and re.match(r"(?:it|this|that)\b", case.body, re.IGNORECASE) and case.mates:
        before = _SPAN.findall(case.mates[-1].case.body)
    library = Library(case.evidence, case.subject)
    for spelled in before[-1:]:
        for dotted in dict.fromkeys(_full_names(case, spelled)):
            answer = library.find(dotted)
            if isinstance(answer, Known):
                yield Outcome("refuted", f"{library.label(dotted)} has {answer.home}")
                return
            if isinstance(answer, Missing):
                yield Outcome("confirmed", f"{library.label(dotted)} has no {dotted}", 1)
                return


def _full_names(case: Case, spelled: str) -> Iterator[str]:
    """The public names that a name in prose may stand for, by the imports of the files or by its object."""
    first, _, rest = spelled.partition(".")
    if rest and first in _OBJECTS:
        yield f"{_OBJECTS[first]}.{rest}"
        return
    try:
        node = ast.parse(spelled, mode="eval").body
    except SyntaxError:
        return
    for module in case.subject.parsable:
        if dotted := origin(module, node):
            yield dotted


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
