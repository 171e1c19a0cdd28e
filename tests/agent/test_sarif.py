"""SARIF logs keep to the standard, and point at the right lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.sarif import as_sarif
from policies.records import Claim, CriterionResult, Finding, Severity, Verdict
from policies.registry import all_checks

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "sarif_subset.json").read_text("utf-8"))
SEEDS = Path(__file__).parents[2].parent / "shared" / "corpus" / "seeds"
CHECKS = {check.ID: check for check in all_checks()}


def _finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "check": "undefined-name",
        "criterion": 1,
        "severity": Severity.BLOCKING,
        "file": "src/train.py",
        "line": 2,
        "message": "`x` is not defined",
        "evidence": "nothing\nbinds it",
    }
    return Finding(**(values | changes))


def _log(*findings: Finding, texts: dict[str, str] | None = None) -> dict[str, Any]:
    verdict = Verdict(
        is_code_ready=False,
        code_issue="...",
        findings=findings,
        claims=(Claim(text="half a pair \ud800", status="refuted", evidence="src/train.py:2"),),
        criteria=(CriterionResult(number=1, title="Complete", status="violated", findings=1),),
    )
    log = json.loads(json.dumps(as_sarif(verdict, CHECKS, texts or {}, "src/main.py")))
    jsonschema.validate(log, SCHEMA)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_a_finding_becomes_a_result_with_rule_place_and_line() -> None:
    run = _log(_finding(), texts={"src/train.py": "import torch\nprint(x)\n"})
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("undefined-name", "error")
    assert result["message"]["text"] == "`x` is not defined. Evidence: nothing binds it"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/train.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 2, "snippet": {"text": "print(x)"}},
    }
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["defaultConfiguration"]) == ("undefined-name", {"level": "error"})


def test_fingerprints_outlive_moved_lines_and_tell_twins_apart() -> None:
    before = _log(_finding(line=2), _finding(line=9))["results"]
    after = _log(_finding(line=5), _finding(line=12))["results"]
    prints = [r["partialFingerprints"] for r in before]
    assert prints == [r["partialFingerprints"] for r in after]
    assert prints[0] != prints[1]


def test_findings_without_a_place_are_shown_at_the_entry_file() -> None:
    run = _log(_finding(file="", line=0), _finding(file="src/a b.py", line=0, severity=Severity.ADVISORY))
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert [(p["artifactLocation"]["uri"], p["region"]) for p in places] == [
        ("src/main.py", {"startLine": 1}),
        ("src/a%20b.py", {"startLine": 1}),
    ]
    assert [r["level"] for r in run["results"]] == ["error", "warning"]


def test_a_check_that_is_not_known_here_still_has_a_rule() -> None:
    run = _log(_finding(check="my-own-rule"))
    assert run["tool"]["driver"]["rules"][0]["name"] == "MyOwnRule"


def test_claims_ride_along_and_half_surrogates_are_spelled_out() -> None:
    assert _log()["properties"]["claims"][0]["text"] == "half a pair \\ud800"


@pytest.mark.parametrize("name", ["000", "001", "002", "003", "004"])
def test_the_command_writes_a_valid_log(name: str) -> None:
    source = SEEDS / f"{name}.txt"
    if not source.exists():
        pytest.skip(f"needs the corpus: {source} is missing")
    run = CliRunner().invoke(app, ["review", str(source), "--no-rehearse", "-q", "--format", "sarif"])
    assert run.exit_code == 1
    log = json.loads(run.stdout)
    jsonschema.validate(log, SCHEMA)
    levels = {result["level"] for result in log["runs"][0]["results"]}
    assert "error" in levels


def test_two_formats_at_once_are_refused() -> None:
    run = CliRunner().invoke(app, ["review", "x.json", "--json", "--format", "sarif"])
    assert "--json and --format sarif exclude each other" in str(run.exception)
