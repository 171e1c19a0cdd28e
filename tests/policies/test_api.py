"""Third-party names: which API judges, which uses count, and whether the table of renames is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.api import api_from_data, api_of, api_to_data, reference
from policies.api_usage import missing_part, uses_of
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
    api = Api("1", {"a": frozenset("xy")}, frozenset("b"), {"a.x": frozenset({"k"})})
    assert api_from_data(api_to_data(api)) == api


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


def test_missing_parts() -> None:
    api = Api(
        "1", {"p": frozenset({"q", "C"}), "p.q": frozenset("x"), "p.C": frozenset("m")}, frozenset({"p.q"})
    )
    found = {
        name: missing_part(api, name) for name in ("p.q", "p.z", "p._z", "p.q.y", "p.C.n", "p.C.m.any", "r")
    }
    assert found == {
        "p.q": None,
        "p.z": ("p", "z"),
        "p._z": None,
        "p.q.y": None,
        "p.C.n": ("p.C", "n"),
        "p.C.m.any": None,
        "r": None,
    }


def test_every_rename_is_of_a_missing_name_to_one_that_exists() -> None:
    for name, entry in renames()["names"].items():
        package, right = reference(name.partition(".")[0]), entry.get("use", "")
        assert package is not None and missing_part(package, name) is not None, name
        target = reference(right.partition(".")[0])
        assert target is None or missing_part(target, right) is None, right


def test_every_keyword_entry_is_of_a_keyword_that_is_not_taken() -> None:
    for name, entry in renames()["keywords"].items():
        function, _, keyword = name.rpartition(".")
        package = reference(name.partition(".")[0])
        assert package is not None
        accepted = package.signatures[function]
        assert keyword not in accepted, name
        assert entry.get("drop") or entry["use"] in accepted, name


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
