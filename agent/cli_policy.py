"""The command for people who write policies: do the examples of their checks hold?"""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli_run import NOT_READY
from agent.output import print_json, print_text

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command("policy-test")
def policy_test(
    policies: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Policies to test.", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print data for programs.")] = False,
) -> None:
    """Run the examples of the checks that policies bring; they are the checks' tests."""
    from policies.policy_examples import faults_of
    from tools.policy_load import load_policies

    policy = load_policies(policies)
    own = {check.ID for check in policy.checks}
    contract = policy.contract_for_none()
    rows = [(c, list(faults_of(c, contract))) for c in policy.checks_for() if c.ID in own]
    if as_json:
        print_json([{"check": c.ID, "passed": not faults, "faults": faults} for c, faults in rows])
    else:
        lines = [line for c, faults in rows for line in _lines(c.ID, len(c.GOOD) + len(c.BAD), faults)]
        print_text("\n".join(lines or ["The policy has no checks of its own; it can be used."]) + "\n")
    raise typer.Exit(NOT_READY if any(faults for _, faults in rows) else 0)


def _lines(check_id: str, examples: int, faults: list[str]) -> list[str]:
    if not faults:
        return [f"passed  {check_id}  {examples} examples"]
    return [f"failed  {check_id}", *(f"  {fault}" for fault in faults)]
