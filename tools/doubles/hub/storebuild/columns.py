"""Column types of the catalogue in the two notations that data sets carry, and as Arrow types.

A type is a name (`string`, `int32`, `float32`, `bool`), `{"classes": [...]}`, `{"list": type}`,
`{"struct": {name: type}}`, `{"sequence": {name: type}}` or `{"translation": [languages]}`.
"""

from __future__ import annotations

from typing import Any

from .outside import library

Type = str | dict[str, Any]


def feature(kind: Type) -> Any:
    """The notation inside parquet files."""
    if isinstance(kind, str):
        return {"dtype": kind, "_type": "Value"}
    if "classes" in kind:
        return {"names": kind["classes"], "_type": "ClassLabel"}
    if "list" in kind:
        inner = feature(kind["list"])
        return [inner] if "_type" not in inner else {"feature": inner, "_type": "Sequence"}
    if "sequence" in kind:
        return {"feature": {n: feature(t) for n, t in kind["sequence"].items()}, "_type": "Sequence"}
    if "translation" in kind:
        return {"languages": kind["translation"], "_type": "Translation"}
    return {n: feature(t) for n, t in kind["struct"].items()}


def card_feature(name: str, kind: Type) -> dict[str, Any]:
    """The notation in the front matter of a card."""
    if isinstance(kind, str):
        return {"name": name, "dtype": kind}
    if "classes" in kind:
        names = {str(i): n for i, n in enumerate(kind["classes"])}
        return {"name": name, "dtype": {"class_label": {"names": names}}}
    if "translation" in kind:
        return {"name": name, "dtype": {"translation": {"languages": kind["translation"]}}}
    if "struct" in kind:
        return {"name": name, "struct": [card_feature(n, t) for n, t in kind["struct"].items()]}
    if "sequence" in kind:
        return {"name": name, "sequence": [card_feature(n, t) for n, t in kind["sequence"].items()]}
    inner = card_feature("item", kind["list"])
    if "struct" in inner:
        return {"name": name, "list": inner["struct"]}
    return {"name": name, "sequence": inner["dtype"]}


def arrow(kind: Type) -> Any:
    """The Arrow type."""
    pa = library("pyarrow")

    if isinstance(kind, str):
        return {"string": pa.string(), "float64": pa.float64(), "bool": pa.bool_()}.get(kind) or getattr(
            pa, kind
        )()
    if "classes" in kind:
        return pa.int64()
    if "list" in kind:
        return pa.list_(arrow(kind["list"]))
    if "sequence" in kind:
        return pa.struct([pa.field(n, pa.list_(arrow(t))) for n, t in kind["sequence"].items()])
    if "translation" in kind:
        return pa.struct([pa.field(language, pa.string()) for language in kind["translation"]])
    return pa.struct([pa.field(n, arrow(t)) for n, t in kind["struct"].items()])
