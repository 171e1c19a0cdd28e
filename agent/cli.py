"""The command line: one app from the commands that act and those that read."""

from __future__ import annotations

from typing import Annotated

import typer

from agent import cli_policy, cli_read, cli_repair

app = typer.Typer(
    name="suture",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Repairs rejected experiment bundles until they run.",
)
app.add_typer(cli_repair.app)
app.add_typer(cli_read.app)
app.add_typer(cli_policy.app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"suture {version('suture')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Repairs rejected experiment bundles until they run."""
