"""Names of figure files, followed through variables, paths and functions."""

from __future__ import annotations

from policies.contract import STANDARD
from policies.figures import figure_names
from policies.parsed import ParsedBundle
from policies.records import Bundle

CODE = """import os
from pathlib import Path


def save(fig, path):
    fig.savefig(path)


for metric in ["f1", "em"]:
    save(fig, Path(out) / f"comparison_{metric}_bar_chart.pdf")
plt.savefig(os.path.join(out, run.id + "_learning_curve.pdf"))
target = f"{out}/box.pdf"
plt.savefig(str(target))
plt.savefig(make_path())
"""


def test_names_are_patterns_with_stars() -> None:
    subject = ParsedBundle(Bundle(files={"src/evaluate.py": CODE}), STANDARD)
    found = {figure.patterns for figure in figure_names(subject, subject.modules["src/evaluate.py"])}
    assert found == {
        frozenset({"comparison_f1_bar_chart.pdf", "comparison_em_bar_chart.pdf"}),
        frozenset({"box.pdf"}),
        frozenset({"*_learning_curve.pdf"}),
    }
