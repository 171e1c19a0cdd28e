"""The compose rehearsal: command lines, decorators, and what Hydra's answers say."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from policies.contract import STANDARD
from policies.records import Bundle, Failure, Rehearsal
from tools.trial import inside
from tools.trial.command import overrides, quoted, trial_command
from tools.trial.compose import Answer, Composition, compose_job, judge, read_answers
from tools.trial.hydra_mains import HydraMain, hydra_mains

ML_PYTHON = os.environ.get("SUTURE_TEST_ENV", "")
needs_ml = pytest.mark.skipif(
    not ML_PYTHON, reason="SUTURE_TEST_ENV does not name an interpreter with the ML libraries"
)
MAIN = """\
import hydra
@hydra.main(version_base=None, config_path='../config', config_name='config')
def main(cfg): ...
"""
ENTRY = "from hydra import main as entry\nROOT = '../config'\n\n@entry(ROOT, 'config')\ndef run(cfg): ...\n"
STORE = "import hydra as h\nfrom hydra.core.config_store import ConfigStore\n@h.main()\ndef f(cfg): ...\n"
CONFIG = "defaults:\n  - run: null\n  - _self_\nmode: full\nresults_dir: out\n"


def bundle_of(
    main: str = MAIN, config: str = CONFIG, run: str = "training:\n  epochs: 1\n", **others: str
) -> Bundle:
    """A bundle with one run config, `a`."""
    files = {"src/main.py": main, "config/config.yaml": config} | {
        f"src/{k}.py": v for k, v in others.items()
    }
    return Bundle(files=files, run_configs={"config/run/a.yaml": run})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proposed-iter1-BERT-base.v2_x", "proposed-iter1-BERT-base.v2_x"),
        ("7B-chat", "7B-chat"),
        ("a b", "'a b'"),
        ("model (86M)", "'model (86M)'"),
        ("k=v,w", "'k=v,w'"),
        ("it's", "'it\\'s'"),
        ("12", "'12'"),
        ("1e-3", "'1e-3'"),
        ("null", "'null'"),
        ("True", "'True'"),
        ("${x}", "'${x}'"),
        ("end\\", "'end\\\\'"),
    ],
)
def test_values_are_quoted_when_hydra_would_misread_them(value: str, expected: str) -> None:
    assert quoted(value) == expected


@needs_ml
def test_quoting_agrees_with_hydras_grammar() -> None:
    values = [
        "a b",
        "model (86M)",
        "k=v,w",
        "it's",
        "12",
        "1e-3",
        "null",
        "end\\",
        "7B-chat",
        "[x]",
        "{y: 1}",
        "a:b",
    ]
    code = (
        "import json, sys\n"
        "from hydra.core.override_parser.overrides_parser import OverridesParser\n"
        "parse = OverridesParser.create().parse_override\n"
        "values = [parse('run=' + q).value() for q in json.load(sys.stdin)]\n"
        "print(json.dumps([getattr(v, 'text', v) for v in values]))\n"
    )
    text = json.dumps([quoted(value) for value in values])
    done = subprocess.run([ML_PYTHON, "-c", code], input=text, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == values


def test_commands_are_filled_in() -> None:
    expected = ("/env/python", "-u", "-m", "src.main", "run='a b'", "results_dir=results", "mode=trial")
    assert trial_command(STANDARD, "a b", "/env/python") == expected
    assert overrides(STANDARD, "a b") == expected[4:]


def test_decorators_are_found_however_they_are_spelled() -> None:
    sources = {
        "main": MAIN,
        "train": ENTRY,
        "model": STORE,
        "evaluate": "def main(): ...\n",
        "broken": "def (",
    }
    bundle = Bundle(files={f"src/{name}.py": text for name, text in sources.items()})
    given = {"version_base": "None", "config_path": "'../config'", "config_name": "'config'"}
    assert hydra_mains(bundle) == (
        HydraMain("src/main.py", 2, "main", given, (), False),
        HydraMain("src/model.py", 3, "f", {}, (), True),
        HydraMain(
            "src/train.py",
            4,
            "run",
            {"config_path": "ROOT", "config_name": "'config'"},
            ("ROOT = '../config'",),
            False,
        ),
    )
    assert [main.config_dir for main in hydra_mains(bundle)] == ["config", "src", "src"]


def judged(bundle: Bundle, answers: Sequence[Answer]) -> Composition:
    """The verdict on answers about the run `a`."""
    return judge(bundle, STANDARD, hydra_mains(bundle), ["a"], answers)


def test_a_failure_in_the_entry_module_blocks_the_run() -> None:
    message = "In 'config': Could not find 'run/b'\n\nAvailable options in 'run':\n\ta"
    answers = [
        Answer("src/train.py", "a", "failed", "ParseError", "second"),
        Answer("src/main.py", "a", "failed", "MissingConfigException", message, "", wall_s=0.5),
    ]
    failure = Failure(
        phase="compose",
        exception="MissingConfigException",
        message="In 'config': Could not find 'run/b' Available options in 'run': a",
        file="config/config.yaml",
        tail=message,
    )
    expected = Rehearsal(phase="compose", run_id="a", status="failed", wall_s=0.5, failure=failure)
    assert judged(bundle_of(train=MAIN), answers) == Composition((expected,), frozenset({"a"}))


def test_a_failure_elsewhere_does_not_block() -> None:
    composition = judged(
        bundle_of(train=MAIN),
        [Answer("src/main.py", "a", "composed"), Answer("src/train.py", "a", "failed", "E", "m")],
    )
    assert [r.status for r in composition.rehearsals] == ["failed"]
    assert composition.blocked == frozenset()


def test_what_is_worth_a_note() -> None:
    answer = Answer(
        "src/main.py", "a", "composed", missing=("run",), unresolved=("x: no y",), directory="outputs/d/t"
    )
    assert judged(bundle_of(), [answer]).rehearsals[0].note == (
        "src/main.py leaves values missing: run. src/main.py does not resolve x: no y. "
        "src/main.py runs in another working directory, below outputs/."
    )


def test_without_hydra_there_is_nothing_to_compose() -> None:
    rehearsal = judged(bundle_of(main="print(1)\n"), []).rehearsals[0]
    assert (rehearsal.status, rehearsal.note) == ("skipped", "No module of the bundle uses @hydra.main.")


def composed(root: Path, bundle: Bundle, run_ids: Sequence[str] = ("a",)) -> tuple[Rehearsal, ...]:
    """The rehearsals of a bundle, by the real Hydra, without a sandbox."""
    for path, text in bundle.tree.items():
        (root / "checkout" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "checkout" / path).write_text(text)
    mains = hydra_mains(bundle)
    (root / "job.json").write_bytes(compose_job(STANDARD, mains, run_ids, "checkout"))
    script = Path(inside.__file__).with_name("compose.py")
    env = {**os.environ, "HYDRA_FULL_ERROR": "1"}
    subprocess.run([ML_PYTHON, str(script), "job.json"], cwd=root, env=env, check=True, timeout=60)
    return judge(
        bundle, STANDARD, mains, run_ids, read_answers((root / "answers.json").read_bytes())
    ).rehearsals


PATHLIB = MAIN.replace("'../config'", "str(CONFIGS)").replace(
    "import hydra\n",
    "import hydra\nfrom pathlib import Path\nCONFIGS = Path(__file__).parents[1] / 'config'\n",
)
NO_MATCH = (
    "Could not override 'run'. No match in the defaults list. To append to your default list use +run=a"
)
REAL: Mapping[str, tuple[Bundle, tuple[str, str, str, str]]] = {
    "good": (bundle_of(), ("passed", "", "", "")),
    "path computed in the module": (bundle_of(PATHLIB), ("passed", "", "", "")),
    "no version_base": (
        bundle_of(MAIN.replace("version_base=None, ", "")),
        ("passed", "", "", "src/main.py runs in another working directory, below outputs/."),
    ),
    "no config_name": (
        bundle_of(MAIN.replace(", config_name='config'", "")),
        (
            "failed",
            "src/main.py",
            NO_MATCH,
            "",
        ),
    ),
    "run is not in the defaults": (
        bundle_of(config="mode: full\nresults_dir: out\n"),
        (
            "failed",
            "config/config.yaml",
            NO_MATCH,
            "",
        ),
    ),
    "run config breaks the schema of hydra": (
        bundle_of(run="# @package _global_\nhydra:\n  run: results\n"),
        (
            "failed",
            "config/run/a.yaml",
            "In 'run/a': Merge error: str is not a subclass of RunDir. "
            "value: results full_key: object_type=dict",
            "",
        ),
    ),
    "YAML": (
        bundle_of(config=CONFIG + "x: [1\n"),
        (
            "failed",
            "config/config.yaml",
            "while parsing a flow sequence in \"config/config.yaml\", line 6, column 4 expected ',' or ']', "
            "but got '<stream end>' in \"config/config.yaml\", line 7, column 1",
            "",
        ),
    ),
    "missing value": (
        bundle_of(config=CONFIG + "seed: ???\nname: ${run.nope}\n"),
        (
            "passed",
            "",
            "",
            "src/main.py leaves values missing: seed. src/main.py does not resolve "
            "name: Interpolation key 'run.nope' not found.",
        ),
    ),
    "decorator that only running it can tell": (
        bundle_of(MAIN.replace("'../config'", "find()")),
        (
            "skipped",
            "",
            "",
            "src/main.py cannot be composed without running it: NameError: name 'find' is not defined.",
        ),
    ),
}


@needs_ml
@pytest.mark.parametrize(("bundle", "expected"), REAL.values(), ids=REAL.keys())
def test_real_hydra(tmp_path: Path, bundle: Bundle, expected: tuple[str, str, str, str]) -> None:
    (rehearsal,) = composed(tmp_path, bundle)
    failure = rehearsal.failure or Failure(phase="compose", exception="", message="")
    assert (rehearsal.status, failure.file, failure.message, rehearsal.note) == expected


@needs_ml
def test_one_run_does_not_disturb_the_next(tmp_path: Path) -> None:
    assert [r.status for r in composed(tmp_path, bundle_of(), ["b", "a", "c"])] == [
        "failed",
        "passed",
        "failed",
    ]
