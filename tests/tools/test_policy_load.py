"""Policies from names, files and installed packages; every fault is one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policies.contract import STANDARD
from policies.errors import UsageError
from policies.policy import Policy
from policies.policy_examples import faults_of
from policies.records import Severity
from policies.registry import all_checks, check_by_id
from tools.policy_load import load_policies

CHECK = '''\
from policies.base import Bad, Good, ModuleCheck


class NoPrint(ModuleCheck):
    """Output of a run goes to the log."""

    ID = "no-print"
    CRITERION = 1
    GOOD = (Good("x = 1\\n"),)
    BAD = (Bad("x = 1\\nprint(x)\\n", lines=(2,)),)

    def find_in(self, module, subject, evidence):
        for node in module.nodes:
            if getattr(node, "id", "") == "print":
                yield self.finding(module.path, node.lineno, "`print` is used", "print")
'''
TOML = """\
extends = "python-tests"
checks = ["no_print.py"]
disable = ["undeclared-import"]

[severity]
no-print = "advisory"

[criteria]
3 = "The suite passes"

[contract]
trial = ["python", "-m", "pytest", "-q", "tests/unit"]
"""
Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and gives its path."""

    def written(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def test_no_policy_is_the_standard_one() -> None:
    assert load_policies([]) == Policy()


def test_a_file_of_settings_builds_on_another_policy(write: Write) -> None:
    write("no_print.py", CHECK)
    policy = load_policies([write("mine.toml", TOML)])
    checks = {check.ID: check for check in policy.checks_for()}
    assert checks["no-print"].SEVERITY is Severity.ADVISORY and "undeclared-import" not in checks
    contract = policy.contract_for_none()
    assert (contract.kind, contract.trial[-1], contract.criteria[2].title) == (
        "tests",
        "tests/unit",
        "The suite passes",
    )
    assert [Path(s.name).name for s in policy.sources] == ["python-tests", "no_print.py", "mine.toml"]
    assert [(Path(s.name).name, bool(s.digest)) for s in policy.asked] == [("mine.toml", True)]


def test_loading_twice_is_safe_and_leaves_nothing_behind(write: Write) -> None:
    path = write("no_print.py", CHECK)
    first, second = load_policies([path]), load_policies([path, path])
    assert [check.ID for check in second.checks] == ["no-print"]
    assert first.checks[0] is not second.checks[0]
    known = {check.ID for check in all_checks()} | {check.ID for check in load_policies([]).checks_for()}
    assert "no-print" not in known


def test_a_file_may_state_its_policy(write: Write) -> None:
    stated = (
        'from policies.policy import Policy\n\nPOLICY = Policy(name="p", disable=frozenset({"no-print"}))\n'
    )
    policy = load_policies([write("own.py", CHECK + stated)])
    assert [check.ID for check in policy.checks] == ["no-print"]
    assert "no-print" not in {check.ID for check in policy.checks_for()}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.py", "x = (\n", "a.py: line 1: "),
        ("a.py", "import does_not_exist_at_all\n", "a.py: cannot be loaded: ModuleNotFoundError"),
        ("a.py", "x = 1\n", "a.py: defines no check with an id and no POLICY"),
        ("a.py", "POLICY = 3\n", "a.py: POLICY must be a Policy, not int"),
        ("a.py", CHECK.replace("CRITERION = 1", "CRITERION = 12"), "NoPrint has the criterion 12"),
        ("a.py", CHECK.replace('"no-print"', '"No Print"'), "an id is lower-case words with dashes"),
        ("a.py", CHECK.replace('"no-print"', '"cache-dir"'), "'cache-dir' is that of a check that ships"),
        ("a.toml", "disable = [", "a.toml: not valid TOML: "),
        ("a.toml", "rules = []\n", "a.toml: 'rules' is no part of a policy"),
        ("a.toml", 'disable = "cache-dir"\n', "`disable` must be a list of strings"),
        ("a.toml", 'disable = ["cachedir"]\n', "there is no check 'cachedir'; did you mean 'cache-dir'"),
        ("a.toml", '[severity]\ncache-dir = "high"\n', "it must be 'blocking' or 'advisory'"),
        ("a.toml", "[contract]\nspeed = 1\n", "'speed' is no part of a contract"),
        ("a.toml", 'extends = "a.toml"\n', "policies extend each other in a circle"),
        ("a.toml", 'checks = ["absent.py"]\n', "there is no such policy file"),
        ("a.toml", 'checks = ["absent"]\n', "no installed package offers the check 'absent'"),
        ("a.yaml/", "", "there is no such policy file"),
    ],
)
def test_faults_are_one_line(write: Write, tmp_path: Path, name: str, text: str, told: str) -> None:
    path = write(name, text) if "/" not in name else str(tmp_path / name)
    with pytest.raises(UsageError) as caught:
        load_policies([path])
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"there is no policy 'nope'; there are python-tests, standard"):
        load_policies(["nope"])


def test_a_policy_inside_the_bundle_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies inside the bundle, which is not to be trusted"):
        load_policies([write("no_print.py", CHECK)], bundle=tmp_path)


def test_installed_packages_offer_policies_and_checks(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        "lab_rules.py",
        f"{CHECK}\n\ndef house():\n    from policies.policy import Policy\n\n"
        "    return Policy(checks=(NoPrint,), disable=frozenset({'cache-dir'}))\n",
    )
    info = tmp_path / "lab_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[suture.policies]\nhouse = lab_rules:house\nbroken = lab_rules:absent\n"
        "[suture.checks]\nno-print = lab_rules:NoPrint\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    house = load_policies(["house"])
    assert (house.name, house.disable, [c.ID for c in house.checks]) == (
        "house",
        frozenset({"cache-dir"}),
        ["no-print"],
    )
    assert [c.ID for c in load_policies(["no-print"]).checks] == ["no-print"]
    assert [c.ID for c in load_policies([write("m.toml", 'checks = ["no-print"]\n')]).checks] == ["no-print"]
    with pytest.raises(UsageError, match="the entry point 'broken'"):
        load_policies(["broken"])


def test_examples_of_a_check_are_run(write: Write) -> None:
    good = load_policies([write("a.py", CHECK)])
    wrong = load_policies([write("b.py", CHECK.replace("lines=(2,)", "lines=(1,)"))])
    contract = good.contract_for_none()
    assert list(faults_of(good.checks[0](), contract)) == []
    assert list(faults_of(wrong.checks[0](), contract)) == [
        "BAD 1 must be reported on the lines 1 of src/train.py, and is on 2"
    ]


@pytest.mark.parametrize("check_id", ["extra-file", "failing-test", "undefined-name"])
def test_the_examples_of_what_ships_hold_in_the_same_way(check_id: str) -> None:
    check = check_by_id(check_id)
    assert check is not None
    assert list(faults_of(check, STANDARD)) == []
