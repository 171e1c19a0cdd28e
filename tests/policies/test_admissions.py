"""Phrases that admit a gap, and their innocent neighbours."""

from __future__ import annotations

import pytest

from policies.admissions import admission


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("# the decoder is skipped for brevity", "for brevity"),
        ("# ... (rest unchanged)", "... (rest unchanged"),
        ("# rest of the class is unchanged", "rest of the class is unchanged"),
        ("# fabricate a confusion matrix from the accuracy", "fabricate a confusion"),
        ("# FIXME", "FIXME"),
        (
            "# the real PPO uses clipping; here we simply follow the gradient",
            "real PPO uses clipping; here we simpl",
        ),
        ("# we skip the bias for now", "skip the bias for now"),
        ("# for simplicity, a constant stands in for the latency", "for simplicity, a constant"),
    ],
)
def test_admits(text: str, phrase: str) -> None:
    assert admission(text, comment=True) == phrase


@pytest.mark.parametrize(
    "text",
    [
        "# the rest of the pipeline expects labels",
        "# fabricated claims are label 2 of this data set",
        "# dummy input to trace the graph; dummy data for the shape inference",
        "# the discriminator gets fake scores and real scores",
        "# simplified chinese (zh-hans)",
        "# for demonstration retrieval, the nearest neighbours are taken",
        "# latency in a real system",
        "# no stub: the full method, nothing omitted for brevity",
        "# subclasses implement this",
        "# for illustration see the paper",
    ],
)
def test_is_innocent(text: str) -> None:
    assert admission(text, comment=True) == ""


def test_a_docstring_may_speak_of_todo_lists() -> None:
    assert admission("The TODO list of the agent.", comment=False) == ""
    assert admission("TODO: the second stage.", comment=False) == "TODO:"
