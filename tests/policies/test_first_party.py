"""Modules of a bundle find each other."""

from __future__ import annotations

import ast

from policies.contract import STANDARD
from policies.first_party import (
    definer,
    import_path,
    lookup,
    prefers_relative,
    provides,
    resolve,
    runs_elsewhere,
)
from policies.parsed import ParsedBundle
from policies.records import Bundle

FILES = {
    "src/train.py": "from .model import build\nfrom .preprocess import load\n",
    "src/model.py": "import os\n\n\ndef build():\n    from .train import main\n\n    return main\n",
    "src/preprocess.py": "from src.train import x\n\n\ndef load(): ...\n\n\ndef only(): ...\n",
    "src/star.py": "from .model import *\n",
}


def subject(**more: str) -> ParsedBundle:
    return ParsedBundle(Bundle(files={**FILES, **more}), STANDARD)


def target(code: str, path: str = "src/train.py") -> tuple[str, bool] | None:
    bundle = subject()
    node = ast.parse(code).body[0]
    assert isinstance(node, ast.ImportFrom)
    found = resolve(bundle, bundle.modules[path], node)
    return (found.dotted, found.exists) if found else None


def test_resolve() -> None:
    assert target("from .model import x") == ("src.model", True)
    assert target("from . import model") == ("src", True)
    assert target("from src.nowhere import x") == ("src.nowhere", False)
    assert target("from ..model import x") == ("", False)
    assert target("from torch import nn") is None


def test_provides() -> None:
    bundle = subject()
    model, star, src = (lookup(bundle, name) for name in ("src.model", "src.star", "src"))
    assert [provides(bundle, model, name) for name in ("build", "os", "missing")] == [True, True, False]
    assert [provides(bundle, star, name) for name in ("build", "missing")] == [None, False]
    assert [provides(bundle, src, name) for name in ("model", "missing")] == [True, False]


def test_definer_refuses_cycles_and_doubt() -> None:
    bundle = subject()
    train = bundle.modules["src/train.py"]
    assert definer(bundle, "build", besides=train) is bundle.modules["src/model.py"]
    assert definer(bundle, "only", besides=train) is None
    assert definer(bundle, "missing", besides=train) is None


def test_style_of_imports() -> None:
    bundle = subject()
    train, model = bundle.modules["src/train.py"], bundle.modules["src/model.py"]
    assert prefers_relative(bundle, train)
    assert import_path(bundle, train, model) == ".model"
    assert import_path(bundle, bundle.modules["src/preprocess.py"], model) == "src.model"


def test_import_path_may_be_changed_by_code() -> None:
    assert not runs_elsewhere(subject())
    assert runs_elsewhere(subject(**{"src/main.py": "import sys\nsys.path.insert(0, 'src')\n"}))
    assert runs_elsewhere(subject(**{"src/main.py": "run(['python', 'src/train.py'])\n"}))
