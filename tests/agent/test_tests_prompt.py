"""The repair request of a plain project: the code that failing tests are about; tests stay as they are."""

from __future__ import annotations

from agent.tests_prompt import build_tests_request
from policies.base import Evidence
from policies.edits import Edit, RepairAnswer, apply_edits
from policies.parsed import ParsedBundle
from policies.python_tests import CONTRACT, POLICY
from policies.records import Bundle, FailedTest, Failure, Rehearsal

FILES = {
    "shop/cart.py": "from shop.price import net\n\n\ndef total(rows):\n    return sum(map(net, rows))\n",
    "shop/price.py": "RATE = 2\n\n\ndef net(row):\n    return row * RATE\n",
    "shop/page.py": "from shop.cart import total\n\n\ndef render(rows):\n    return str(total(rows))\n",
    "shop/far.py": "def far():\n    return 'nobody needs this'\n",
}
GIVEN = {
    "tests/test_cart.py": "from shop.cart import total\n\n\n"
    "def test_total(rows):\n    assert total(rows) == 3",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef rows():\n    return [1, 2]\n",
}
FAILURE = Failure(
    phase="trial",
    exception="AssertionError",
    message="assert 6 == 3",
    file="tests/test_cart.py",
    line=5,
    function="test_total",
    tail=">       assert total(rows) == 3\nE       assert 6 == 3",
)
TEST = FailedTest(test="tests/test_cart.py::test_total", stage="call", failure=FAILURE, test_line=5)
TRIAL = Rehearsal(phase="trial", run_id="", status="failed", wall_s=1.0, failure=FAILURE, tests=(TEST,))
BUNDLE = Bundle(files=FILES, given=GIVEN)
SUBJECT = ParsedBundle(BUNDLE, CONTRACT.model_copy(update={"files": tuple(FILES)}))


def test_it_shows_the_code_its_surroundings_the_test_and_its_fixtures() -> None:
    findings = [f for c in POLICY.checks_for() for f in c.find(SUBJECT, Evidence((TRIAL,)))]
    assert [(f.check, f.file, f.line) for f in findings] == [("failing-test", "shop/cart.py", 4)]
    request = build_tests_request(SUBJECT, findings, rehearsals=(TRIAL,))
    system, user = (m.content for m in request.messages)
    assert "so that its tests pass" in system
    for shown in (
        "Tests: python -m pytest -q",
        "    5|     return sum(map(net, rows))",
        "shop/price.py (outline)",
        "shop/page.py (outline)",
        "return [1, 2]",
        "assert total(rows) == 3",
        "E       assert 6 == 3",
    ):
        assert shown in user
    assert "nobody needs this" not in user
    assert build_tests_request(SUBJECT, findings, rehearsals=(TRIAL,)) == request


def test_given_files_cannot_be_edited() -> None:
    edit = Edit(file="tests/test_cart.py", kind="replace", anchor="== 3", text="== 6")
    answer = RepairAnswer(analysis="", edits=(edit,), unresolved=())
    result = apply_edits(BUNDLE, answer, SUBJECT.contract)
    assert result.bundle is None
    assert "tests, their settings and data are given" in result.problems[0]
