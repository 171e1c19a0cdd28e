"""An automatic environment serves the bundle as it came in and the repaired one."""

from __future__ import annotations

from policies.base import Evidence
from policies.codemods import apply_codemods
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.registry import all_checks
from tools.trial.rehearsal import with_needed_requirements

BUNDLE = Bundle(
    files={
        "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n\n[project.dependencies]\ntorch = "^2.1"\n',
        "src/train.py": "import torch\nfrom sklearn.metrics import f1_score\n\nprint(torch, f1_score)\n",
    }
)


def test_what_the_imports_need_is_asked_for() -> None:
    text = with_needed_requirements(BUNDLE).files["pyproject.toml"]
    assert "torch>=2.1,<3" in text
    assert "scikit-learn" in text


def test_the_repaired_bundle_asks_for_the_same() -> None:
    repaired = apply_codemods(ParsedBundle(BUNDLE, STANDARD), Evidence(), all_checks()).bundle
    before, after = with_needed_requirements(BUNDLE), with_needed_requirements(repaired)
    assert before.files["pyproject.toml"] == after.files["pyproject.toml"]


def test_other_files_stay_as_they_are() -> None:
    assert with_needed_requirements(BUNDLE).files["src/train.py"] == BUNDLE.files["src/train.py"]
