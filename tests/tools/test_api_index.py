"""The index of a package read from its sources."""

from __future__ import annotations

import importlib
import json
import sys
import sysconfig
from pathlib import Path

import pytest

from policies.api import api_to_data
from policies.api_signature import signature_of
from policies.base import Api
from policies.errors import UsageError
from tools.trial.api_index import index_environment, index_package, installed_version, main, named_apis
from tools.trial.api_merge import merged
from tools.trial.api_plan import PLAN, Scope
from tools.trial.api_scan import quick_exports
from tools.trial.api_tree import PackageTree

HERE = Path(sysconfig.get_path("purelib"))

TOY = {
    "toy/__init__.py": "from .parts import *\nfrom ._deep import Tool as Gadget\nimport os\n\nVERSION = '1'\n"
    "try:\n    from missing import fast\nexcept ImportError:\n    fast = None\n",
    "toy/parts.py": "__all__ = ['make']\n\n\ndef make(size, *, colour='red'):\n    global made\n"
    "    made = size\n\n\ndef hidden(): ...\n",
    "toy/_deep.py": "from .base import Base\n\n\nclass Tool(Base):\n    limit = 3\n\n"
    "    def __init__(self, name):\n        self.name = name\n\n"
    "    @classmethod\n    def load(cls, path, strict=True): ...\n",
    "toy/base.py": "from dataclasses import dataclass\nfrom elsewhere import Other\n\n\n"
    "class Base:\n    def stop(self): ...\n\n\n@dataclass\nclass Options(Base):\n"
    "    depth: int = 1\n    more: str\n    n: int = field(init=False)\n\n\n"
    "@deprecate_kwarg('old', new_name='size')\ndef factory(kind, /, size=1): ...\n\n\n"
    "@mystery\ndef unknown(a): ...\n\n\nclass Mixed(Other):\n    x = 1\n",
    "toy/open.py": "class Open:\n    def __getattr__(self, n): ...\n\n\nclass Patched:\n    y = 1\n\n\n"
    "class Outer:\n    class Inner:\n        x = 1\n\n\nfor n in 'ab':\n    setattr(Patched, n, 1)\n",
    "toy/dynamic.py": "def __getattr__(name):\n    return name\n",
    "toy/patched.py": "for n in ('a', 'b'):\n    globals()[n] = 1\n",
    "toy/served/__init__.py": "import sys\n_import_structure = {'engine': ['Engine']}\n"
    "_import_structure['extra'].append('More')\nsys.modules[__name__] = Lazy(__name__, _import_structure)\n",
    "toy/served/engine.py": "class Engine: ...\n",
    "toy/zoo/__init__.py": "import sys\nstructure = define_import_structure(__file__)\n"
    "sys.modules[__name__] = Lazy(structure)\n",
    "toy/zoo/cat/cats.py": "__all__ = ['Cat', \"Tom\"]\n@requires(backends=('x',))\nclass Lion: ...\n",
    "toy/broken.py": "def (:\n",
    "toy-2.5.dist-info/METADATA": "",
}


@pytest.fixture
def toy(tmp_path: Path) -> PackageTree:
    for name, text in TOY.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return PackageTree((tmp_path,))


def test_names_follow_stars_reexports_and_branches(toy: PackageTree) -> None:
    names, complete = toy.names("toy")
    modules = {"parts", "_deep", "base", "open", "dynamic", "patched", "served", "zoo", "broken"}
    assert (set(names), complete) == ({"make", "Gadget", "os", "VERSION", "fast"} | modules, True)


def test_a_global_statement_binds_a_module_name(toy: PackageTree) -> None:
    assert toy.names("toy.parts") == (frozenset({"make", "hidden", "made"}), True)


@pytest.mark.parametrize("module", ["toy.dynamic", "toy.patched", "toy.broken"])
def test_modules_that_cannot_be_listed_are_open(toy: PackageTree, module: str) -> None:
    assert toy.names(module)[1] is False


def test_lazy_structures_are_read(toy: PackageTree) -> None:
    names, complete = toy.names("toy.served")
    assert (set(names), complete) == (
        {"sys", "engine", "extra", "Engine", "More", "_import_structure"},
        True,
    )
    names, complete = toy.names("toy.zoo")
    assert complete and {"cat", "cats", "Cat", "Tom", "Lion"} <= names


@pytest.fixture
def described(toy: PackageTree, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setitem(PLAN, "toy", Scope("toy", depth=1))
    return index_package(toy, "toy", "2.5")


def test_classes_are_described_where_they_are_defined(described: Api) -> None:
    assert described.homes["toy"]["Gadget"] == "toy._deep.Tool"
    assert described.classes["toy._deep.Tool"] == {"limit", "name", "load"}
    assert described.bases["toy._deep.Tool"] == ("toy.base.Base",)
    assert described.classes["toy.base.Base"] == {"stop"}
    assert described.bases["toy.base.Mixed"] == ("??Other",)
    assert described.partial == {"toy.open.Open", "toy.open.Patched"}
    assert described.classes["toy.open.Outer.Inner"] == {"x"}


def test_signatures_of_functions_classes_methods_and_data_classes(described: Api) -> None:
    assert {name: signature.text for name, signature in described.signatures.items()} == {
        "toy.parts.make": "size * colour=",
        "toy.parts.hidden": "",
        "toy._deep.Tool": "name",
        "toy._deep.Tool.load": "path strict=",
        "toy.base.Base": "",
        "toy.base.Base.stop": "@",
        "toy.base.Options": "depth= more",
        "toy.base.factory": "kind / size= * old=",
        "toy.open.Outer": "",
        "toy.open.Outer.Inner": "",
        "toy.open.Patched": "",
        "toy.open.Open": "",
        "toy.served.engine.Engine": "",
    }


def test_what_two_versions_have_is_joined() -> None:
    old = Api(
        "1",
        {"p": frozenset({"f", "gone"})},
        homes={"p": {"f": "p.f", "g": "p.g"}},
        signatures={"p.f": signature_of("a old="), "p.g": signature_of("x")},
    )
    new = Api(
        "2",
        {"p": frozenset({"f", "fresh"})},
        frozenset({"p.q"}),
        homes={"p": {"f": "p.f", "g": "p.g"}},
        signatures={"p.f": signature_of("a b=")},
    )
    both = merged(old, new)
    assert (both.version, both.oldest, set(both.open_modules)) == ("2", "1", {"p.q"})
    assert both.modules == {"p": {"f", "gone", "fresh"}}
    assert {name: s.text for name, s in both.signatures.items()} == {"p.f": "a old= * b="}
    assert merged(new, new) is new


def test_the_cache_is_used_and_a_damaged_one_is_made_anew(
    toy: PackageTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLAN, "toy", Scope("toy", depth=0))
    roots, cache = toy.site_packages, tmp_path / "cache"
    fresh = index_environment(roots, ("toy",), cache)
    assert fresh["toy"].version == "2.5"
    kept = next((cache / "api").iterdir())
    kept.write_text(json.dumps(api_to_data(Api("kept"))))
    assert index_environment(roots, ("toy",), cache)["toy"].version == "kept"
    kept.write_text("not json")
    assert api_to_data(index_environment(roots, ("toy",), cache)["toy"]) == api_to_data(fresh["toy"])


def test_another_content_under_the_same_version_is_read_anew(
    toy: PackageTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLAN, "toy", Scope("toy", depth=0))
    record = toy.site_packages[0] / "toy-2.5.dist-info" / "RECORD"
    for text in (
        "toy/a.py,sha256=1,2\n../bin/x,,\n",
        "../bin/y,,\ntoy/a.py,sha256=1,2\n",
        "toy/a.py,sha256=3,2\n",
    ):
        record.write_text(text)
        index_environment(toy.site_packages, ("toy",), tmp_path / "cache")
    assert len(list((tmp_path / "cache" / "api").iterdir())) == 2


def test_a_named_interpreter_is_looked_into(tmp_path: Path) -> None:
    assert set(named_apis(sys.executable, tmp_path)) <= set(PLAN)
    with pytest.raises(UsageError, match="no interpreter"):
        named_apis(str(tmp_path / "python"), tmp_path)


def test_packages_that_are_not_installed_are_left_out(tmp_path: Path) -> None:
    assert index_environment((tmp_path,), ("torch",)) == {}
    assert installed_version((tmp_path,), "torch") == ""


def test_exports_of_large_files_are_read_without_parsing() -> None:
    text = "__all__ = [\n    'A',\n    \"B\",\n]\n__all__ += ['C']\n\n\n"
    text += "@requires(\n    backends=('x',)\n)\ndef d(): ...\n"
    assert quick_exports(text) == {"A", "B", "C", "d"}


@pytest.mark.parametrize("package", ["packaging", "rich", "typer"])
def test_nothing_that_exists_is_called_missing(package: str) -> None:
    """The real import has the last word."""
    names, complete = PackageTree((HERE,)).names(package)
    real = {name for name in dir(importlib.import_module(package)) if not name.startswith("_")}
    assert not complete or real <= names


def test_the_table_is_written_from_an_interpreter(tmp_path: Path) -> None:
    assert main(["--write", str(tmp_path / "tables"), "--python", sys.executable]) == 0
    assert (tmp_path / "tables").is_dir()
