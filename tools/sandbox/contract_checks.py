"""The promises of the sandbox contract, one function each. Importing this file adds them to the contract."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from tools.sandbox.base import FileEntry, Limits, default_env
from tools.sandbox.contract_bench import CHECKS, Bench, Broken, promise, same

__all__ = ["CHECKS"]
MIB = 2**20
_ODD_NAMES = ("plain.txt", "with space.txt", "new\nline.txt", "übergröße-模型.txt", "-rf", "$(id)`.txt")


def _refused(what: str, act: Callable[[], object]) -> None:
    try:
        seen = act()
    except ValueError:
        return
    raise Broken(f"{what} was allowed and gave {seen!r}")


@promise()
def bytes_are_kept(bench: Bench) -> None:
    """Files and streams carry every byte unchanged."""
    data = bytes(range(256)) * 4096 + b"\r\n\0"
    bench.sandbox.write(PurePosixPath("a/b/data.bin"), data)
    same("read back", bench.sandbox.read(PurePosixPath("a/b/data.bin")) == data, True)
    source = (
        "import sys; sys.stderr.write('e'); "
        "sys.stdout.buffer.write(open('a/b/data.bin', 'rb').read()[:300000])"
    )
    result = bench.script(source)
    same("stdout", result.stdout == data[:300000], True)
    same("stderr", result.stderr, b"e")


@promise()
def odd_names_work(bench: Bench) -> None:
    """Spaces, newlines, dashes and other scripts in names and arguments."""
    for name in _ODD_NAMES:
        bench.sandbox.write(PurePosixPath(name), name.encode())
    listed = tuple(FileEntry(PurePosixPath(n), len(n.encode())) for n in sorted(_ODD_NAMES))
    same("listing", bench.sandbox.list_files(), listed)
    source = "import sys; print(all(open(n, encoding='utf-8').read() == n for n in sys.argv[1:]))"
    same("seen inside", bench.says(source, *_ODD_NAMES), "True")


@promise()
def missing_file_is_said(bench: Bench) -> None:
    """Reading what is not there raises FileNotFoundError."""
    for path in ("nothing", "no/such/folder"):
        try:
            bench.sandbox.read(PurePosixPath(path))
        except FileNotFoundError:
            continue
        raise Broken(f"reading {path!r} did not raise FileNotFoundError")


@promise()
def exit_status_is_told(bench: Bench) -> None:
    """Exit codes, signals and missing programs are results."""
    for code in (0, 1, 42, 255):
        result = bench.run(["sh", "-c", f"exit {code}"])
        same("exit", (result.status, result.returncode), ("exited", code))
    same("signal", bench.run(["sh", "-c", "kill -SEGV $$"]).returncode, 128 + 11)
    same("missing program", bench.run(["no-such-program"]).returncode, 127)


@promise()
def commands_start_in_the_workdir(bench: Bench) -> None:
    """The working directory is `workdir`, or `cwd` below it."""
    bench.sandbox.write(PurePosixPath("sub/file"), b"")
    workdir = str(bench.sandbox.workdir)
    same("cwd", bench.run(["pwd"]).stdout.decode().strip(), workdir)
    result = bench.sandbox.run(["pwd"], timeout_s=30, cwd=PurePosixPath("sub"))
    same("cwd below", result.stdout.decode().strip(), workdir + "/sub")
    above = PurePosixPath("..")
    _refused("a cwd above the workdir", lambda: bench.sandbox.run(["pwd"], timeout_s=30, cwd=above))


@promise()
def environment_is_clean(bench: Bench) -> None:
    """Nothing of the host's environment leaks; what was asked for is there."""
    secret = "suture-contract-secret"
    os.environ["SUTURE_CONTRACT_SECRET"] = secret
    try:
        seen = bench.run(["env"]).stdout.decode()
    finally:
        del os.environ["SUTURE_CONTRACT_SECRET"]
    names = {line.split("=", 1)[0] for line in seen.splitlines()}
    same("variables beyond the allowed", names - {*default_env(home="", temp=""), "PWD"}, {"SUTURE_CONTRACT"})
    same("the secret is visible", secret in seen, False)


@promise()
def no_descriptor_leaks(bench: Bench) -> None:
    """Only stdin, stdout and stderr are open, and stdin is empty."""
    source = (
        "import os, sys; fds = [int(f) for f in os.listdir('/proc/self/fd')]; "
        "print(sorted(f for f in fds if os.path.exists(f'/proc/self/fd/{f}')), repr(sys.stdin.read()))"
    )
    same("open descriptors", bench.says(source), "[0, 1, 2] ''")


@promise()
def home_is_outside_the_workdir(bench: Bench) -> None:
    """HOME and TMPDIR can be written and do not litter the working directory; HOME lives on."""
    source = "import os; [open(os.environ[v] + '/kept', 'w').write(v) for v in ('HOME', 'TMPDIR')]"
    bench.says(source)
    same("files in the workdir", bench.sandbox.list_files(), ())
    same("HOME kept", bench.says("import os; print(open(os.environ['HOME'] + '/kept').read())"), "HOME")


@promise()
def children_die(bench: Bench) -> None:
    """A background child is dead when `run` returns."""
    _must_stop(bench, "sh -c 'while :; do date +%s%N > beat; sleep 0.05; done' & sleep 0.3")


@promise()
def daemons_die(bench: Bench) -> None:
    """So is a daemon that left its session and its parent, and holds no stream."""
    loop = "while :; do date +%s%N > beat; sleep 0.05; done"
    _must_stop(
        bench, f"setsid sh -c '(setsid sh -c \"{loop}\" >/dev/null 2>&1 &)' >/dev/null 2>&1; sleep 0.3"
    )


@promise()
def timeout_kills_the_stubborn(bench: Bench) -> None:
    """A process that ignores every signal it can is gone at the limit."""
    source = (
        "import signal, time\n"
        "for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\n"
        "print('before', flush=True)\nwhile True: open('beat', 'w').write(str(time.time())); time.sleep(0.05)"
    )
    result = bench.script(source, timeout_s=1.0)
    same("result", (result.status, result.reason, result.returncode), ("timed_out", "wall", None))
    same("output before the limit", result.stdout, b"before\n")
    if result.wall_s > 5:
        raise Broken(f"a limit of 1 s took {result.wall_s:.1f} s")
    _still(bench)


@promise(limits=Limits(output_bytes=10_000))
def output_is_capped(bench: Bench) -> None:
    """Both ends of a long output are kept, its true size is told, and nothing blocks."""
    count = 50 * MIB
    source = f"import sys; sys.stdout.write('A' * {count} + 'Z'); sys.stderr.write('B' * {count} + 'Y')"
    result = bench.script(source)
    same("status", (result.status, result.returncode, result.truncated), ("exited", 0, True))
    same("true sizes", (result.stdout_bytes, result.stderr_bytes), (count + 1, count + 1))
    for stream, ends in ((result.stdout, (b"A", b"Z")), (result.stderr, (b"B", b"Y"))):
        same("ends", (stream[:1], stream[-1:]), ends)
        if len(stream) > 11_000:
            raise Broken(f"{len(stream)} bytes were kept of a cap of 10000")


@promise(limits=Limits(memory_bytes=200 * MIB))
def memory_limit_holds(bench: Bench) -> None:
    """The whole tree's memory counts, not that of one process."""
    part = f"import time; x = bytearray({90 * MIB}); time.sleep(30)"
    source = "import subprocess, sys; p = [subprocess.Popen([sys.executable, '-I', '-S', '-c', sys.argv[1]])"
    result = bench.script(source + " for _ in range(3)]; [q.wait() for q in p]", part)
    same("result", (result.status, result.reason), ("killed", "memory"))


@promise(limits=Limits(cpu_s=1.0))
def cpu_limit_holds(bench: Bench) -> None:
    """CPU time of the whole tree counts."""
    result = bench.run(["sh", "-c", "for i in 1 2; do (while :; do :; done) & done; wait"])
    same("result", (result.status, result.reason), ("killed", "cpu"))


@promise(limits=Limits(processes=40))
def process_limit_holds(bench: Bench) -> None:
    """More processes than allowed end the run."""
    source = (
        "import os, time\nfor _ in range(200):\n  if os.fork() == 0: time.sleep(30); os._exit(0)\n"
        "time.sleep(30)"
    )
    result = bench.script(source)
    same("result", (result.status, result.reason), ("killed", "processes"))


@promise(limits=Limits(file_size_bytes=MIB))
def file_size_limit_holds(bench: Bench) -> None:
    """No file grows beyond the limit."""
    result = bench.run(["dd", "if=/dev/zero", "of=big", "bs=65536", "count=64"])
    if result.returncode == 0:
        raise Broken("writing 4 MiB under a limit of 1 MiB succeeded")
    sizes = [entry.size_bytes for entry in bench.sandbox.list_files()]
    same("size of the file", [size <= MIB for size in sizes], [True] * len(sizes))


@promise(limits=Limits(disk_bytes=8 * MIB))
def disk_limit_holds(bench: Bench) -> None:
    """All files together stay near the limit."""
    source = "import time\nfor i in range(64): open(f'f{i}', 'wb').write(bytes(1 << 20))\ntime.sleep(30)"
    result = bench.script(source)
    same("result", (result.status, result.reason), ("killed", "disk"))


@promise()
def links_are_not_followed(bench: Bench) -> None:
    """Links that the bundle planted lead nowhere in `read`, `write`, `cwd` and `list_files`."""
    with tempfile.TemporaryDirectory() as outside:
        victim = Path(outside, "victim")
        victim.write_bytes(b"host")
        links = f"ln -s {victim} file; ln -s {outside} folder; ln -s / root; mkfifo pipe; ln -s loop loop"
        same("planting", bench.run(["sh", "-c", links]).returncode, 0)
        sandbox = bench.sandbox
        for name in ("file", "folder/victim", "root/etc/passwd", "../lock", "/etc/passwd", "pipe", "loop"):
            _refused(f"reading {name}", partial(sandbox.read, PurePosixPath(name)))
        for name in ("folder/new", "../new", "/tmp/suture-new"):
            _refused(f"writing {name}", partial(sandbox.write, PurePosixPath(name), b"x"))
        _refused("cwd over a link", lambda: sandbox.run(["pwd"], timeout_s=5, cwd=PurePosixPath("folder")))
        sandbox.write(PurePosixPath("file"), b"mine")
        same("files", sandbox.list_files(), (FileEntry(PurePosixPath("file"), 4),))
        same(
            "host files",
            ([p.name for p in Path(outside).iterdir()], victim.read_bytes()),
            (["victim"], b"host"),
        )


@promise(isolation=True)
def no_network_but_loopback(bench: Bench) -> None:
    """Nothing outside can be reached, not even the host's own ports; a server inside can."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = (
            "import socket, sys\n"
            "def reaches(a):\n"
            "  try: socket.create_connection(a, 2).close(); return True\n"
            "  except OSError: return False\n"
            "s = socket.create_server(('127.0.0.1', 0))\n"
            "host = reaches(('127.0.0.1', int(sys.argv[1])))\n"
            "print(host, reaches(('192.0.2.1', 80)), reaches(s.getsockname()))\n"
            "print([n for _, n in socket.if_nameindex()])"
        )
        same("host port, outside, own port", bench.says(source, str(port)), "False False True\n['lo']")


@promise(isolation=True)
def host_is_not_writable(bench: Bench) -> None:
    """Writing anywhere but in the private places fails, and changes nothing outside."""
    source = (
        "import os, sys\nfor d in sys.argv[1:]:\n"
        "  try: open(os.path.join(d, 'suture-contract'), 'w'); print(d)\n"
        "  except OSError: pass"
    )
    places = ("/", "/usr", "/usr/lib", "/etc", "/bin", "/dev", "/home", "/proc/sys/kernel", "/sys", "/var")
    same("writable places", bench.says(source, *places, str(Path(bench.python).parent)), "")
    with tempfile.TemporaryDirectory() as outside:
        bench.run(["sh", "-c", f"mkdir -p {outside}; touch {outside}/x /tmp/suture-contract-x"])
        found = (list(Path(outside).iterdir()), Path(tempfile.gettempdir(), "suture-contract-x").exists())
        same("changed outside", found, ([], False))


@promise(isolation=True)
def kernel_settings_are_not_writable(bench: Bench) -> None:
    """No file of /proc or /sys that acts on the machine can be opened for writing."""
    source = (
        "import os\n"
        "for top in ('/proc', '/sys'):\n"
        "  for d, ds, fs in os.walk(top):\n"
        "    if d == '/proc': ds[:] = [n for n in ds if not n.isdigit() and 'self' not in n]\n"
        "    for f in fs:\n"
        "      try: os.close(os.open(d + '/' + f, os.O_WRONLY | os.O_NONBLOCK)); print(d + '/' + f)\n"
        "      except OSError: pass"
    )
    same("writable", bench.says(source), "")


@promise(isolation=True)
def host_files_are_hidden(bench: Bench) -> None:
    """Homes, temporary files, processes and secrets of the host cannot be seen."""
    python_home = Path(bench.python).parent
    hidden = [p for p in (Path.home(), Path.home() / ".ssh") if not python_home.is_relative_to(p)]
    with tempfile.NamedTemporaryFile() as secret:
        places = (
            secret.name,
            "/etc/shadow",
            "/etc/ssh",
            "/etc/machine-id",
            "/var",
            "/run",
            "/sys/fs",
            "/boot",
        )
        source = "import os, sys; print([p for p in sys.argv[1:] if os.path.exists(p)])"
        same("visible", bench.says(source, *places, *map(str, hidden)), "[]")
    pids = "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]) < 6)"
    same("only own processes are seen", bench.says(pids), "True")


@promise(isolation=True)
def privileges_are_dropped(bench: Bench) -> None:
    """No capabilities, no way to gain them, not the user root."""
    source = (
        "import os\nrows = dict(l.split(':\\t', 1) for l in open('/proc/self/status') if ':\\t' in l)\n"
        "caps = {rows[n].strip() for n in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb')}\n"
        "print(os.getuid() != 0, caps, rows['NoNewPrivs'].strip())"
    )
    same("uid, capabilities, no-new-privileges", bench.says(source), "True {'0000000000000000'} 1")


def _must_stop(bench: Bench, command: str) -> None:
    """The command leaves something that writes `beat`; nothing may write it after `run`."""
    result = bench.run(["sh", "-c", command])
    same("status", (result.status, result.returncode), ("exited", 0))
    _still(bench)


def _still(bench: Bench) -> None:
    before = bench.sandbox.read(PurePosixPath("beat"))
    time.sleep(0.2)
    same("the last sign of life", bench.sandbox.read(PurePosixPath("beat")), before)
