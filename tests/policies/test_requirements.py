"""Poetry's constraints in PEP 440, and what a file declares in any spelling."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.requirements import (
    comes_with,
    constraint,
    declared,
    distributions,
    from_poetry,
    repair,
    with_floor,
)


@pytest.mark.parametrize(
    ("poetry", "pep440"),
    [
        ("*", ""),
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.15", ">=0.15"),
        ("~0.15.2", ">=0.15.2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.4", "~=1.4"),
        ("2.1", "==2.1"),
        ("1.*", "==1.*"),
        (">=1.0.*", ">=1.0"),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        (">= 1.0, != 1.5", ">=1.0,!=1.5"),
        ("^1.0 || ^2.0", None),
        ("newest", None),
    ],
)
def test_constraints(poetry: str, pep440: str | None) -> None:
    assert constraint(poetry) == pep440


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("torch ^2.1", "torch>=2.1,<3"),
        ("numpy=1.26", "numpy==1.26"),
        ("a[b,c] ^1 ; python_version > '3.9'", "a[b,c]>=1,<2; python_version > '3.9'"),
        ("wandb (^0.16)", "wandb>=0.16"),
        ("git+https://example.org/a.git", None),
        ("a >= 1 b", None),
    ],
)
def test_repair(broken: str, repaired: str | None) -> None:
    assert repair(broken) == repaired


def test_tables_of_poetry() -> None:
    assert from_poetry("torch", "torch>=2.1") == "torch>=2.1"
    assert from_poetry("a", {"version": "^4.3", "extras": ["x"]}) == "a[x]>=4.3,<5"
    assert (
        from_poetry("a", {"git": "https://example.org/a.git", "rev": "v1"})
        == "a @ git+https://example.org/a.git@v1"
    )
    assert from_poetry("a", {"version": "1.0", "markers": "os_name == 'nt'"}) == "a==1.0; os_name == 'nt'"
    assert from_poetry("a", {"path": "../a"}) is None
    assert from_poetry("a", 3) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[project]\ndependencies = ["Torch>=2", "bad ^1"]\n', {"torch", "bad"}),
        ('[project.dependencies]\nhydra_core = "^1.3"\n', {"hydra-core"}),
        (
            '[tool.poetry.dependencies]\ntorch = "*"\n[dependency-groups]\ndev = ["pytest"]\n',
            {"torch", "pytest"},
        ),
        ('[project.optional-dependencies]\ndev = ["pytest"]\n', set()),
        ('[project]\ndynamic = ["dependencies"]\n', None),
        ("[project\n", None),
    ],
)
def test_declared(text: str, names: set[str] | None) -> None:
    assert declared(ParsedBundle(Bundle(files={"pyproject.toml": text}), STANDARD)) == names


def test_what_comes_along() -> None:
    brought = comes_with(frozenset({"peft"}))
    assert {"peft", "accelerate", "torch", "numpy", "sympy"} <= brought
    assert "sentencepiece" not in brought


def test_names_of_distributions() -> None:
    assert distributions("sklearn.metrics") == ("scikit-learn",)
    assert distributions("cv2")[:2] == ("opencv-python-headless", "opencv-python")
    assert with_floor("hydra-core") == "hydra-core>=1.3.2"
    assert with_floor("unheard-of") == "unheard-of"
