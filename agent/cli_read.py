"""The commands that read: log, show, diff and export of a ledger, explain, doctor.

Heavy imports happen inside the commands, so that `suture --help` answers at once.
"""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli_run import MACHINE_LACKS
from agent.output import print_json, print_prose, print_text, terminal_width
from policies.errors import UsageError

if TYPE_CHECKING:
    from agent.results import RepairResult
    from policies.policy import Policy
    from policies.records import Rejection
    from tools.ledger_read import LedgerReader

app = typer.Typer(no_args_is_help=True, add_completion=False)

LedgerPath = Annotated[
    Path, typer.Argument(metavar="LEDGER", help="The folder of a repair.", show_default=False)
]
Number = Annotated[
    int | None, typer.Argument(metavar="[N]", help="Number of an attempt.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]


class Form(StrEnum):
    """How a bundle is handed out."""

    JSON = "json"
    DIR = "dir"
    TRANSCRIPT = "transcript"


@app.command()
def log(ledger: LedgerPath, as_json: AsJson = False) -> None:
    """List the attempts of a repair, oldest first."""
    with _opened(ledger) as book:
        entries, unfinished, result = book.attempts(), book.unfinished(), book.read_result()
    if as_json:
        attempts = [entry.model_dump(mode="json") for entry in entries]
        begun = [item.model_dump(mode="json") for item in unfinished]
        reason = (result or {}).get("reason")
        print_json({"ledger": str(ledger), "reason": reason, "attempts": attempts, "unfinished": begun})
        return
    from agent.render_base import make_console
    from agent.render_ledger import render_log

    render_log(make_console(sys.stdout), entries, unfinished)


@app.command()
def show(ledger: LedgerPath, number: Number = None, as_json: AsJson = False) -> None:
    """Show one attempt with its plan, findings, rehearsals and verdict; without N, how the repair ended."""
    with _opened(ledger) as book:
        if number is None:
            _show_repair(book, as_json)
        else:
            _show_attempt(book, number, as_json)


def _show_repair(book: LedgerReader, as_json: bool) -> None:
    result = book.read_result()
    if as_json:
        request = book.request().model_dump(mode="json", exclude={"bundle"})
        print_json({"ledger": str(book.path), "request": request, "result": result})
        return
    from agent.render import render_result
    from agent.render_base import make_console

    known = _as_result(result)
    if known is not None:
        render_result(make_console(sys.stdout), known)
    else:
        _show_unfinished(book)


def _show_unfinished(book: LedgerReader) -> None:
    """What is known of a repair that has no end yet: it was killed, or runs right now."""
    from agent.render_base import make_console, say
    from agent.render_ledger import render_log
    from tools.plain_text import visible

    console = make_console(sys.stdout)
    say(console, ("UNFINISHED", "bold yellow"), "  unless it is running right now, go on with:")
    console.print(f"  suture resume {shlex.quote(str(book.path))}", soft_wrap=True)
    console.print()
    render_log(console, book.attempts(), book.unfinished())
    console.print()
    console.print(visible(book.story("import")), soft_wrap=True)


def _as_result(data: dict[str, Any] | None) -> RepairResult | None:
    from pydantic import ValidationError

    from agent.results import RepairResult

    try:
        return RepairResult.model_validate(data)
    except ValidationError:
        return None


def _show_attempt(book: LedgerReader, number: int, as_json: bool) -> None:
    entry = book.entry(number)
    if as_json:
        record = book.record(number).model_dump(mode="json")
        print_json({"entry": entry.model_dump(mode="json"), "record": record})
        return
    from agent.render_base import make_console
    from agent.render_ledger import render_attempt

    render_attempt(make_console(sys.stdout), entry, book.story(entry.repair_sha))


@app.command()
def diff(ledger: LedgerPath, number: Number = None, as_json: AsJson = False) -> None:
    """Print what an attempt changed; without N, everything from the import to the best attempt."""
    with _opened(ledger) as book:
        text, size = book.diff(number), book.diff_size(number)
    if as_json:
        print_json({"ledger": str(ledger), "attempt": number, "diff": text, **size.model_dump(mode="json")})
    elif sys.stdout.isatty():
        from agent.render_base import make_console
        from agent.render_ledger import render_diff

        render_diff(make_console(sys.stdout), text)
    else:
        print_text(text)


@app.command()
def export(
    ledger: LedgerPath,
    form: Annotated[
        Form, typer.Option("--as", help="JSON, a folder, or a transcript to read in again.")
    ] = Form.JSON,
    out: Annotated[Path | None, typer.Option(help="Where to; standard output when left out.")] = None,
    attempt: Annotated[int | None, typer.Option(help="This attempt in place of the best one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hand out the repaired bundle."""
    from tools import export as to

    with _opened(ledger) as book:
        sha = book.best() if attempt is None else book.entry(attempt).sha
        bundle, files = book.bundle_at(sha), book.contract.files
        verdict = _verdict(book, attempt) if form is Form.TRANSCRIPT else None
        request = book.request()
    if form is Form.DIR:
        if out is None:
            raise UsageError("export --as dir needs --out, a folder that is new or empty")
        _exported(out, list(to.write_folder(bundle, out)), as_json)
        return
    text = to.as_transcript(request, bundle, verdict, files) if form is Form.TRANSCRIPT else None
    if out is not None:
        to.write_text(text if text is not None else to.json_text(to.as_json(bundle, files)), out)
        _exported(out, [str(out)], as_json)
    elif text is None:
        print_json(to.as_json(bundle, files))
    else:
        _print_transcript(text, as_json)


def _print_transcript(text: str, as_json: bool) -> None:
    if as_json:
        print_json({"transcript": text})
    else:
        print_text(text)


def _exported(out: Path, written: list[str], as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out), "files": written})
    else:
        sys.stderr.write(f"wrote {len(written)} file{'s' if len(written) != 1 else ''} to {out}\n")


def _verdict(book: LedgerReader, attempt: int | None) -> Rejection | None:
    """The verdict on what is exported; that of the request when nothing newer judged it."""
    from policies.records import Rejection

    result = _as_result(book.read_result()) if attempt is None else None
    if attempt is None:
        attempt = next((e.number for e in book.attempts() if "best" in e.marks), None)
    judged = book.record(attempt).verdict if attempt is not None else None
    said = result.verdict if result is not None else judged
    if said is None:
        return book.request().rejection
    return Rejection(is_code_ready=said.is_code_ready, code_issue=said.code_issue)


@app.command()
def explain(
    check: Annotated[str, typer.Argument(metavar="CHECK", help="Id of a check.", show_default=False)] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every check, and what covers each sentence of the contract.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--for", metavar="INPUT", help="With --all: the contract that this input brings."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME|FILE", help="The checks of this policy; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a check wants, why, and what it does about it."""
    from agent import rule_reference
    from tools.policy_load import load_policies

    if bool(check) == everything:
        raise UsageError("explain wants the id of one check, or --all")
    if source is not None and not everything:
        raise UsageError("--for goes with --all: it says whose contract to explain")
    held_to = load_policies(policy or ())
    if everything:
        _explain_all(source, held_to, as_json)
        return
    contract = held_to.contract_for_none()
    one = rule_reference.check_named(check, held_to.checks_for())
    if as_json:
        print_json(rule_reference.check_data(one, contract))
    else:
        print_prose(rule_reference.check_text(one, contract))


def _explain_all(source: str | None, policy: Policy, as_json: bool) -> None:
    """The checks, then the table of sentences, of the standard contract or of the one an input brings."""
    from agent import rule_reference
    from agent.coverage_table import coverage_data, coverage_text

    contract, checks = policy.contract_for_none(), policy.checks_for()
    if source is not None:
        from tools.intake import read_request

        contract = policy.contract_for(read_request(source, policy.kind))
    # The sentences of a plain project's criteria are the rehearsals themselves.
    covered = contract.kind == "experiment"
    if as_json:
        data = [rule_reference.check_data(one, contract) for one in checks]
        print_json({"checks": data, "coverage": coverage_data(contract) if covered else None})
    else:
        table = f"\n{coverage_text(contract, terminal_width())}" if covered else ""
        print_prose(rule_reference.table_text(checks, contract) + table)


@app.command()
def doctor(
    quick: Annotated[
        bool, typer.Option("--quick", help="Skip the behaviour checks of the sandboxes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what works on this machine, and how to get what does not."""
    from agent.render_base import make_console
    from agent.render_ledger import render_diagnoses
    from agent.render_progress import TerminalProgress
    from tools.machine import examine, sandbox_works
    from tools.trial.environment import default_cache_root

    with TerminalProgress(make_console()) as progress:
        found = examine(default_cache_root(), contract=not quick, progress=progress)
    if as_json:
        checks = [item.model_dump(mode="json") for item in found]
        print_json({"sandbox": sandbox_works(found), "checks": checks})
    else:
        render_diagnoses(make_console(sys.stdout), found)
    if not sandbox_works(found) or any(item.status == "missing" for item in found if item.name == "git"):
        raise typer.Exit(MACHINE_LACKS)


def _opened(path: Path) -> LedgerReader:
    from tools.ledger_read import LedgerReader

    return LedgerReader.open(path)
