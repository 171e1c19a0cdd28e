"""The rule reference against the classes it is made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.rule_reference import PAGE, check_data, check_named, check_text, main, page_text
from policies.contract import STANDARD
from policies.errors import UsageError
from policies.python_tests import CONTRACT as PROJECT
from policies.registry import all_checks, checks_for


def test_the_page_in_the_project_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run `python -m agent.rule_reference`"
    assert PAGE.read_text(encoding="utf-8") == page_text()


def test_check_mode_only_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "RULES.md"
    assert main(["--check"], page) == 1
    assert not page.exists()
    assert main([], page) == 0
    assert main(["--check"], page) == 0
    page.write_text("old")
    assert main(["--check"], page) == 1
    assert capsys.readouterr().err == "RULES.md is out of date; run `python -m agent.rule_reference`\n" * 2


def test_every_check_is_on_the_page_once() -> None:
    text = page_text()
    for check in all_checks():
        assert text.count(f"\n### {check.ID}\n") == 1
        assert check.why() in text
    for check in checks_for("experiment"):
        assert text.count(f"| [{check.ID}](#{check.ID}) | {check.CRITERION} |") == 1
    for check in checks_for("tests"):
        title = next(c.title for c in PROJECT.criteria if c.number == check.CRITERION)
        assert text.count(f"| [{check.ID}](#{check.ID}) | {title} |") == 1


def test_what_a_check_says_of_itself() -> None:
    check = check_named("empty-file")
    told = check_data(check)
    assert list(told) == ["check", "criterion", "title", "severity", "fixes", "why", "good", "bad"]
    assert len(told["good"]) == len(check.GOOD) and len(told["bad"]) == len(check.BAD)
    assert told["why"] == check.why()
    assert "\n\nBad:\n\n`" in check_text(check)


def test_an_unknown_check_gets_the_nearest_names() -> None:
    with pytest.raises(UsageError, match=r"there is no check 'empty_file'; did you mean empty-file"):
        check_named("empty_file")
    with pytest.raises(UsageError, match=r"there is no check '§'; `suture explain --all` lists them"):
        check_named("§")


def test_the_page_ends_with_the_table_of_sentences() -> None:
    table = page_text().partition("\n## What covers each sentence of the standard contract\n")[2]
    assert table.count("\n| ") == 1 + sum(len(c.sentences) for c in STANDARD.criteria)
    assert "not covered" not in table


def test_a_claim_that_holds_is_explained_though_it_is_no_check() -> None:
    with pytest.raises(UsageError, match="is a reviewer's claim that was tested and holds"):
        check_named("reviewer-claim")
