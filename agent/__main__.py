"""`python -m agent` and the `suture` script."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line and leave with its exit status."""
    _open_streams()
    # Syntax trees are many small objects that stay: by default a tenth of a review goes into looking through
    # them again and again.
    gc.set_threshold(200_000, 10, 10)
    from agent.cli import app
    from agent.cli_run import run_app

    try:
        status = run_app(app)
    finally:
        # All that is left goes with the process; the search for cycles on the way out would take longer.
        gc.freeze()
    sys.exit(status)


def _open_streams() -> None:
    """Open what the caller closed on the null device, or the next file opened would get its place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Open for as long as the process lives, as the stream it stands for would be.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


if __name__ == "__main__":
    main()
