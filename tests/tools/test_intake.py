"""Every kind of input opens, and carries what it should."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from policies.contract import STANDARD
from policies.contract_reader import contract_of, read_contract
from policies.parsed import ParsedBundle
from policies.records import Rejection, Run
from tools.intake import read_request

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
TRANSCRIPTS = sorted(CORPUS.rglob("*.txt"))
FLAT = {
    "train_py": "import torch\n",
    "evaluate_py": "",
    "preprocess_py": "x = 'a < b && c > d'\n",
    "model_py": "def f() -> int:\n    return 1\n",
    "main_py": "print('hi')\n",
    "pyproject_toml": "[project]\nname = 'x'\n",
    "config_yaml": "mode: trial\n",
}
FILES = {
    "src/train.py": FLAT["train_py"],
    "src/evaluate.py": FLAT["evaluate_py"],
    "src/preprocess.py": FLAT["preprocess_py"],
    "src/model.py": FLAT["model_py"],
    "src/main.py": FLAT["main_py"],
    "pyproject.toml": FLAT["pyproject_toml"],
    "config/config.yaml": FLAT["config_yaml"],
}
ESCAPED = json.dumps(FLAT).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
PROMPT = """Model: some-reviewer
Please judge.

## Review checklist
1. **Hydra use**:
   - Full run: `uv run python -u -m src.main run={run_id} results_dir={path}`
   - Trial run: `uv run python -u -m src.main run={run_id} results_dir={path} trial_mode=true`
   - Configs lie in `config/run/*.yaml`
2. **Results**:
   - Write `{results_dir}/comparison/all.json` like
     ```json
     {"primary_metric": "F1 on the \\"hard\\" split", "metrics": {...}}
     ```

## Answer
JSON please.

# Hypothesis
It works. primary_metric='other'

# Method
Step one.

# not a section but a comment

# Experiment Design
- Evaluation Metrics: ['F1', 'Accuracy']

# Runs
- Run ID: ours-1
  Method: ours
  Model: None
  Dataset: toy

  Config:
  ```yaml
  run_id: ours-1
model:
  name: tiny
# a comment, then a heading
# Hypothesis
seed: 1
  ```

- Run ID: base (v2)
  Method: base

# Code
"""
VERDICT = '\n\nThink.\nOutput:\n```json\n{"is_code_ready": false, "code_issue": "1. `a` -\\u003e b"}\n```\n'


def written(folder: Path, text: str, name: str = "in.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_transcript_of_our_own(tmp_path: Path) -> None:
    request = read_request(written(tmp_path, PROMPT + ESCAPED + VERDICT))
    assert request.kind == "transcript"
    assert dict(request.bundle.files) == FILES
    assert dict(request.bundle.run_configs) == {
        "config/run/ours-1.yaml": "run_id: ours-1\nmodel:\n  name: tiny\n"
        "# a comment, then a heading\n# Hypothesis\nseed: 1\n"
    }
    assert request.rejection == Rejection(is_code_ready=False, code_issue="1. `a` -> b")
    context = request.context
    assert context.hypothesis == "It works. primary_metric='other'"
    assert context.metrics == ("F1", "Accuracy")
    assert context.primary_metric == 'F1 on the "hard" split'
    assert context.runs == (
        Run(run_id="ours-1", method="ours", dataset="toy"),
        Run(run_id="base (v2)", method="base"),
    )
    assert request.notes == ("Run base (v2) is listed without a run config.",)
    assert request.criteria.startswith("1. **Hydra use**")
    assert contract_of(request).run_config_dir == "config/run"


@pytest.mark.parametrize(
    "spell",
    [
        lambda b: json.dumps(b),
        lambda b: json.dumps(b, indent=2),
        lambda b: json.dumps(dict(reversed(b.items()))),
        lambda b: "```json\n" + json.dumps({"experiment_code": b}) + "\n```",
        lambda b: "Code: " + json.dumps(b, separators=(",", ":")),
    ],
)
def test_the_bundle_is_found_however_it_is_spelled(tmp_path: Path, spell: object) -> None:
    assert callable(spell)
    request = read_request(written(tmp_path, PROMPT.replace("\n", "\r\n") + spell(FLAT) + VERDICT))
    assert dict(request.bundle.files) == FILES
    assert len(request.bundle.run_configs) == 1


def test_a_verdict_that_cannot_be_parsed_is_a_note(tmp_path: Path) -> None:
    request = read_request(written(tmp_path, PROMPT + ESCAPED + '\n{"is_code_ready": false, "code_i'))
    assert request.rejection is None
    assert "The transcript ends without a verdict that can be parsed." in request.notes


def test_a_prompt_without_headings_still_opens(tmp_path: Path) -> None:
    text = "Look:\n```yaml\nrun_id: only-1\nseed: 2\n```\n" + ESCAPED
    request = read_request(written(tmp_path, text))
    assert dict(request.bundle.run_configs) == {"config/runs/only-1.yaml": "run_id: only-1\nseed: 2\n"}
    assert contract_of(request) == STANDARD


def test_bundle_json_with_extras(tmp_path: Path) -> None:
    data = {
        "experiment_code": FLAT,
        "run_configs": {"a-1": "run_id: a-1\n"},
        "runs": [{"run_id": "a-1", "method_name": "ours"}],
        "context": {"hypothesis": "h", "primary_metric": "F1"},
        "rejection": {"is_code_ready": False, "code_issue": ["one", "two"]},
    }
    request = read_request(written(tmp_path, json.dumps(data), "b.json"))
    assert dict(request.bundle.files) == FILES
    assert dict(request.bundle.run_configs) == {"config/runs/a-1.yaml": "run_id: a-1\n"}
    assert request.context.runs == (Run(run_id="a-1", method="ours"),)
    assert request.context.primary_metric == "F1"
    assert request.rejection == Rejection(is_code_ready=False, code_issue="- one\n- two")
    assert request.notes == ("The input has no criteria text: the newest standard contract is assumed.",)


def test_bundle_json_of_paths_may_lack_files_and_have_extra_ones(tmp_path: Path) -> None:
    data = {"src/train.py": "x = 1\n", "src/helpers.py": "y = 2\n", "config/run/r.yaml": "run_id: r\n"}
    request = read_request(written(tmp_path, json.dumps(data)))
    assert dict(request.bundle.files) == {"src/train.py": "x = 1\n", "src/helpers.py": "y = 2\n"}
    assert contract_of(request).run_config_dir == "config/run"
    again = read_request(written(tmp_path, request.bundle.model_dump_json()))
    assert again.bundle == request.bundle


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + ESCAPED.encode()))
    monkeypatch.setattr("sys.stdin", stream)
    request = read_request("-")
    assert (request.source, dict(request.bundle.files)) == ("standard input", FILES)
    assert request.notes[0] == "standard input: a byte order mark was dropped."


def test_directory(tmp_path: Path) -> None:
    extra = {
        "src/helpers.py": "z = 3\n",
        "setup.py": "import setuptools\n",
        "config/optuna/small.yaml": "n: 1\n",
    }
    runs = {"config/runs/r-1.yaml": "run_id: r-1\n"}
    ignored = {
        ".git/hooks/x.py": "",
        ".venv/lib/y.py": "",
        "myenv/pyvenv.cfg": "",
        "myenv/z.py": "",
        "results/r-1/plot.py": "",
        "src/__pycache__/train.py": "",
        "README.md": "",
    }
    for path, text in {**FILES, **extra, **runs, **ignored}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    request = read_request(tmp_path)
    assert request.kind == "directory"
    assert dict(request.bundle.files) == {**FILES, **extra}
    assert dict(request.bundle.run_configs) == runs
    assert request.context.runs == (Run(run_id="r-1"),)
    assert request.notes == ("The directory has no criteria text: the newest standard contract is assumed.",)


def test_text_of_the_wrong_code_page_is_noted(tmp_path: Path) -> None:
    broken = "σ(W h) ∈ ℝ, τ → ∞, λ·Ē, …".encode().decode("mac_roman")
    request = read_request(written(tmp_path, PROMPT.replace("It works.", broken) + ESCAPED + VERDICT))
    assert request.context.hypothesis.startswith(broken)
    assert any("decoded as mac_roman" in note for note in request.notes)


def test_every_transcript_of_the_corpus_opens() -> None:
    if not TRANSCRIPTS:
        pytest.skip(f"the corpus is not there: {CORPUS}")
    for path in TRANSCRIPTS:
        request = read_request(path)
        contract = read_contract(request.criteria)
        subject = ParsedBundle(request.bundle, contract, request.context)
        assert tuple(sorted(request.bundle.files)) == tuple(sorted(STANDARD.files)), path
        assert len(request.context.runs) == len(request.bundle.run_configs) == 2, path
        assert all(p.startswith(f"{contract.run_config_dir}/") for p in request.bundle.run_configs), path
        for run in request.context.runs:
            document = subject.run_documents[run.run_id].data
            assert document is not None and document["run_id"] == run.run_id, path
        context = request.context
        assert all((context.hypothesis, context.method, context.design, context.primary_metric)), path
        assert [c.number for c in contract.criteria] == list(range(1, 10)), path
        assert request.rejection is not None, path
        assert request.rejection.is_code_ready == (not request.rejection.code_issue), path
        odd = any("mac_roman" in note for note in request.notes)
        assert odd == (path == CORPUS / "seeds" / "001.txt"), path
