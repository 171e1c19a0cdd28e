"""Third-party names: which API judges, which uses count, and whether the table of renames is right."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from policies.api import api_from_data, api_of, api_to_data, reference
from policies.api_context import api_context
from policies.api_library import Known, Library, Missing
from policies.api_signature import signature_of, widest
from policies.api_usage import uses_of
from policies.base import Api, Check, Evidence
from policies.checks.unknown_api_name import renames
from policies.contract import STANDARD
from policies.parsed import ParsedBundle, parse_module
from policies.records import Bundle
from policies.registry import check_by_id

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
GROUP = (
    "unknown-api-name",
    "unknown-api-keyword",
    "wrong-api-call",
    "unknown-attribute",
    "evaluate-cli",
    "wandb-summary-json",
    "wandb-not-disabled",
    "optuna-in-trial",
    "wandb-log-without-init",
)


def subject(pyproject: str = "") -> ParsedBundle:
    return ParsedBundle(Bundle(files={"pyproject.toml": pyproject} if pyproject else {}), STANDARD)


def dotted(text: str) -> list[str]:
    return [use.dotted for use in uses_of(parse_module("src/train.py", text))]


def test_an_api_survives_its_data_form() -> None:
    api = Api(
        "1",
        {"a": frozenset("xyz")},
        frozenset("b"),
        homes={"a": {"x": "a._x.x", "y": "a._x.other"}},
        classes={"a._x.other": frozenset("mn")},
        bases={"a._x.other": ("?dict", "b.C")},
        partial=frozenset({"a._x.other"}),
        signatures={"a._x.x": signature_of("k / l= *args m ** @")},
        returns={"a._x.x()": "a._x.other"},
        oldest="0",
    )
    data = api_to_data(api)
    again = api_from_data(json.loads(json.dumps(data)))
    assert (again.homes["a"], again.signatures["a._x.x"]) == (api.homes["a"], api.signatures["a._x.x"])
    assert api_to_data(again) == data


@pytest.mark.parametrize("text", ["", "a b=", "a / b= * c d=", "a= *args **", "@ a", "a /", "* c=", "**"])
def test_a_signature_survives_its_text_form(text: str) -> None:
    assert signature_of(text).text == text


def test_the_widest_signature_accepts_what_either_accepts() -> None:
    assert widest([signature_of("a b"), signature_of("a c= *args")]).text == "a b= *args c="
    assert widest([signature_of("a / b"), signature_of("x")]).text == "a= b= * x="


def test_the_installed_api_comes_before_the_reference() -> None:
    installed = Api("0.1")
    assert api_of(Evidence(installed={"torch": installed}), "torch") is installed
    assert api_of(Evidence(), "torch") == reference("torch")
    assert api_of(Evidence(), "no_such_package") is None


PEP621 = '[project]\nname = "x"\nversion = "1"\ndependencies = ["{0}"]\n'
POETRY = '[tool.poetry.dependencies]\ntransformers = "{0}"\n'
TABLE = '[project.dependencies]\ntransformers = "{0}"\n'


@pytest.mark.parametrize(
    ("pyproject", "judged"),
    [
        (PEP621.format("transformers>=4.40"), True),
        (PEP621.format("Transformers[torch]==4.30.*"), False),
        (PEP621.format("transformers<4.50"), False),
        (PEP621.format("torch==1.0"), True),
        (PEP621.format("not a requirement !"), True),
        (POETRY.format("^4.35"), True),
        (POETRY.format("^3.0"), False),
        (POETRY.format("*"), True),
        (TABLE.format("~4.30"), True),
        ("[project\n", True),
    ],
)
def test_a_bundle_that_pins_another_version_is_not_judged_by_the_reference(
    pyproject: str, judged: bool
) -> None:
    assert (api_of(Evidence(), "transformers", subject(pyproject)) is not None) is judged


def test_uses_follow_aliases_and_chains() -> None:
    text = "import numpy as np\nimport torch.nn.functional as F\nfrom torch import nn, optim as o\n"
    text += "np.a.b\nF.relu(1)\nnn.Linear\no.X = 1\n"
    imports = ["numpy", "torch.nn.functional", "torch.nn", "torch.optim"]
    assert dotted(text) == [*imports, "numpy.a.b", "torch.nn.functional.relu", "torch.nn.Linear"]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    from a import b\nexcept (ImportError, OSError):\n    b = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b\n",
        "import a\nif a.__version__ < '2':\n    a.b()\n",
        "import a\ndef f():\n    x: a.b = 1\n",
        "import a\ngetattr(a, 'b', None) and a.b\n",
        "import a\na.b = 1\na.b\n",
        "import a\ndef f(a):\n    return a.b\n",
        "from .a import b\n",
        "from a import *\n",
    ],
)
def test_guarded_shadowed_and_relative_names_are_left_alone(text: str) -> None:
    assert not [name for name in dotted(text) if name == "a.b"]


def test_what_a_dotted_name_means() -> None:
    package = Api(
        "1",
        {"p": frozenset({"q", "C", "f"}), "p.q": frozenset("x")},
        frozenset({"p.q"}),
        homes={"p": {"C": "p._c.C", "f": "p._c.f"}},
        classes={"p._c.C": frozenset({"m", "In"}), "p._c.C.In": frozenset("y"), "p._c.B": frozenset("z")},
        bases={"p._c.C": ("p._c.B",), "p._c.C.In": ("??Unknown",), "p._c.B": ()},
        signatures={"p._c.C.m": signature_of("a"), "p._c.f": signature_of("")},
    )
    library = Library(Evidence(installed={"p": package}))
    names = [
        "p.q",
        "p.z",
        "p._z",
        "p.q.y",
        "p.C",
        "p.C.n",
        "p.C.m",
        "p.C.m.any",
        "p.C.z",
        "p.C.In.any",
        "p.f",
        "r.s",
    ]
    members = frozenset({"m", "In", "z"})
    assert {name: library.find(name) for name in names} == {
        "p.q": None,
        "p.z": Missing("p", "z", frozenset({"q", "C", "f"})),
        "p._z": None,
        "p.q.y": None,
        "p.C": Known("p._c.C"),
        "p.C.n": Missing("p.C", "n", members),
        "p.C.m": Known("p._c.C.m"),
        "p.C.m.any": None,
        "p.C.z": None,
        "p.C.In.any": None,
        "p.f": Known("p._c.f"),
        "r.s": None,
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import optuna\nx = optuna.create_study()\nx", "optuna.study.study.Study"),
        (
            "import optuna\nx = None\nx = optuna.create_study().best_trial\nx",
            "optuna.trial._frozen.FrozenTrial",
        ),
        ("import optuna\ndef f(t, x: optuna.Trial):\n    x", "optuna.trial._trial.Trial"),
        ("import optuna\ns = optuna.create_study()\ns.optimize(lambda x: x)", "optuna.trial._trial.Trial"),
        ("import torch\ndef f():\n    return x\nx = torch.zeros(1).float()\nx", "torch._tensor.Tensor"),
        ("import torch\nx = torch.zeros(1)\nfor x in []:\n    x", ""),
        ("import torch\nx = torch.zeros(1)\nx += 1\nx", ""),
        ("import torch\ndef f(x):\n    x = torch.zeros(1)\n    x", ""),
        ("class C: ...\nx = C()\nx", "src/train.py::C"),
        ("def g():\n    class C: ...\n    return C\nC = g()\nx = C()\nx", ""),
    ],
)
def test_types_are_certain_or_empty(text: str, kind: str) -> None:
    parsed = ParsedBundle(Bundle(files={"src/train.py": text}), STANDARD)
    module = parsed.modules["src/train.py"]
    reads = [
        n for n in module.nodes if isinstance(n, ast.Name) and n.id == "x" and isinstance(n.ctx, ast.Load)
    ]
    assert {api_context(parsed, Evidence()).types(module).of(read) for read in reads} == {kind}


def test_every_rename_is_of_a_missing_name_to_one_that_exists() -> None:
    library = Library(Evidence())
    for name, entry in renames()["names"].items():
        later = entry.get("later", False)  # removed in a version after the table's first
        assert later or isinstance(library.find(name), Missing), name
        assert not isinstance(library.find(entry.get("use", "")), Missing), name


def test_every_keyword_entry_is_of_a_keyword_that_is_not_taken() -> None:
    library = Library(Evidence())
    for name, entry in renames()["keywords"].items():
        function, _, keyword = name.rpartition(".")
        found = library.find(function)
        assert isinstance(found, Known), name
        signature = library.signature(found.home)
        assert signature is not None and keyword not in signature.keywords, name
        assert entry.get("drop") or entry["use"] in signature.keywords, name


@pytest.mark.parametrize("check_id", GROUP)
def test_fixes_converge_and_parse_on_real_bundles(check_id: str) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the transcripts are not here")
    from tools.intake import read_request

    check = check_by_id(check_id)
    assert check is not None
    for path in sorted(CORPUS.rglob("*.txt")):
        bundle = read_request(path).bundle
        before = ParsedBundle(bundle, STANDARD)
        after = repaired(check, before)
        broken = [m.path for m in after.modules.values() if m.tree is None and before.modules[m.path].tree]
        assert not broken, f"{path}: {broken}"


def repaired(check: Check, parsed: ParsedBundle) -> ParsedBundle:
    """Every fix that the check has to offer, one finding at a time."""
    for _ in range(40):
        fixes = (check.fix(parsed, finding) for finding in check.find(parsed, Evidence()))
        bundle = next((fixed for fixed in fixes if fixed is not None), None)
        if bundle is None:
            return parsed
        assert bundle.digest != parsed.bundle.digest
        parsed = parsed.replace(bundle)
    raise AssertionError(f"{check.ID} does not converge")
