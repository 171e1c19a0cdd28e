"""Runs one command of a bundle, with the hub double beside it: `python launch.py JOB.json`.

Ends with the command's exit status (128 + signal for a signal), or with 97 when the rehearsal itself
could not be set up; `launch-error.txt` then says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HARNESS_FAULT = 97
HUB_START_S = 30.0
DUMP_BEFORE_S = 1.5
"""How long before the sandbox ends the command its stacks are printed."""

UV = """#!/bin/sh
# `uv run COMMAND` in a rehearsal: the environment is there already, so the command is simply started.
[ "$1" = run ] || { echo "uv: a rehearsal offers only 'uv run'" >&2; exit 2; }
shift
while [ $# -gt 0 ]; do
    case "$1" in
        --) shift; break ;;
        -m|--module) shift; exec python -m "$@" ;;
        --with|--with-requirements|--python|-p|--extra|--group|--project|--directory|--env-file) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
case "$1" in
    *.py) exec python "$@" ;;
    *) exec "$@" ;;
esac
"""


class HarnessFault(Exception):
    """The rehearsal could not be set up; nothing of the bundle ran."""


class ClosedDoor(BaseHTTPRequestHandler):
    """Answers every request to W&B with a refusal: without an answer its client would wait for minutes."""

    REFUSAL = json.dumps({"errors": [{"message": "Weights and Biases is not reachable in a trial"}]}).encode(
        "ascii"
    )

    def do_GET(self) -> None:
        """Refuse."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.REFUSAL)))
        self.end_headers()
        self.wfile.write(self.REFUSAL)

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the output is the bundle's."""


def close_wandb() -> str:
    """Start the refusing server; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ClosedDoor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def start_hub(hub: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the hub double and wait until it listens."""
    complaints = Path("hub-stderr.txt")
    options = ["--store", hub["store"], "--log", absolute("hub.jsonl"), "--port-file", absolute("hub-port")]
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", hub["server"], *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    deadline = time.monotonic() + HUB_START_S
    while hub_port() is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise HarnessFault(
                f"the hub double did not start: {complaints.read_text('utf-8', 'replace')[-2000:]}"
            )
        time.sleep(0.01)
    return process


def hub_port() -> int | None:
    """The port that the double wrote down, once it has."""
    try:
        return int(Path("hub-port").read_text("ascii"))
    except (OSError, ValueError):
        return None


def environment(job: dict[str, Any], deadline: float) -> dict[str, str]:
    """What the command sees: the sandbox's environment, the job's, the doubles' addresses and the probes."""
    env = dict(os.environ)
    port = hub_port()
    doubles = {k: v.replace(":0", f":{port}") if port else v for k, v in job["hub_env"].items()}
    doubles["WANDB_BASE_URL"] = close_wandb()
    env.update(doubles)
    env["SUTURE_KEEP"] = ",".join(["SUTURE_PROBE", "SUTURE_DEADLINE", "SUTURE_KEEP", *doubles])
    env["SUTURE_PROBE"] = absolute("probe.jsonl")
    env["SUTURE_DEADLINE"] = str(deadline)
    own = [absolute(path) for path in job.get("python_path", [])]
    env["PYTHONPATH"] = os.pathsep.join([job["probes"], *own])
    env.update(job.get("env", {}))
    env["PATH"] = os.pathsep.join([absolute("bin"), str(Path(sys.executable).parent), env.get("PATH", "")])
    return env


def absolute(name: str) -> str:
    """The path of a file in the sandbox's working directory, beside the checkout."""
    return str(Path(name).absolute())


def write_uv() -> None:
    """Put a stand-in for `uv run` on PATH; the contract's own commands start with it."""
    shim = Path("bin", "uv")
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(UV, "ascii")
    shim.chmod(0o755)


def main(path: str) -> int:
    """Run the job to its end."""
    job = json.loads(Path(path).read_text("utf-8"))
    deadline = time.time() + job["limit_s"] - DUMP_BEFORE_S
    hub = None
    try:
        write_uv()
        hub = start_hub(job["hub"]) if job["hub"] else None
        process = subprocess.Popen(
            job["argv"], cwd=job["cwd"], env=environment(job, deadline), stdin=subprocess.DEVNULL
        )
    except (HarnessFault, OSError) as error:
        Path("launch-error.txt").write_text(str(error), "utf-8")
        return HARNESS_FAULT
    status = process.wait()
    if hub is not None:
        hub.terminate()
        hub.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
