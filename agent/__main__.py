"""`python -m agent` and the `suture` script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    from agent.cli import app
    from agent.cli_run import run_app

    sys.exit(run_app(app))


if __name__ == "__main__":
    main()
