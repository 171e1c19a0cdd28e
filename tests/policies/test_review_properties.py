"""What holds of the review and of the codemods whatever a bundle and a rejection say."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.base import Evidence
from policies.contract import STANDARD
from policies.parsed import ParsedBundle, parse_cst, parse_module, parse_toml, parse_yaml
from policies.records import Bundle, Rejection, ResearchContext, Verdict
from policies.registry import checks_for
from policies.review import review
from tests.fuzz_review import laid_out, unstable
from tests.invariants import broken, spoiled
from tests.strategies import code, configs, project_tables, rejections

FILES = {
    "src/train.py": "import hydra\nimport torch\nimport wandb\nfrom src.model import Net\n",
    "src/evaluate.py": "import argparse\nimport wandb\n\nparser = argparse.ArgumentParser()\n",
    "src/preprocess.py": "from datasets import load_dataset\n\ndata = load_dataset('imdb')\n",
    "src/model.py": "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n",
    "src/main.py": "import subprocess\nimport sys\n",
    "pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["torch"]\n',
    "config/config.yaml": "defaults:\n  - _self_\nmode: full\ntraining:\n  lr: 1e-3\n",
}
RUNS = {"config/runs/r-1.yaml": "run_id: r-1\nmodel:\n  name: gpt2\noptuna:\n  n_trials: 2\n"}
CONTEXT = ResearchContext(method="A loss", primary_metric="accuracy")
CHECKS = checks_for("experiment")
few = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def bundle_of(*changes: tuple[str, str]) -> Bundle:
    texts = dict(changes)
    files = {path: texts.get(path, text) for path, text in FILES.items()}
    return Bundle(files=files, run_configs={path: texts.get(path, text) for path, text in RUNS.items()})


def subject_of(bundle: Bundle) -> ParsedBundle:
    return ParsedBundle(bundle, STANDARD, CONTEXT)


def judged(bundle: Bundle, issue: str = "") -> Verdict:
    rejection = Rejection(is_code_ready=False, code_issue=issue) if issue else None
    return review(subject_of(bundle), Evidence(), rejection=rejection)


def forget() -> None:
    for parse in (parse_module, parse_cst, parse_yaml, parse_toml):
        parse.cache_clear()


@few
@given(path=st.sampled_from([*FILES, *RUNS]), text=st.text(max_size=200))
def test_any_text_in_any_file_is_reviewed(path: str, text: str) -> None:
    bundle = bundle_of((path, text))
    assert list(broken(judged(bundle), bundle)) == []


@few
@given(path=st.sampled_from([p for p in FILES if p.endswith(".py")]), start=code(), end=code())
def test_any_code_is_reviewed_alike_in_any_layout(path: str, start: str, end: str) -> None:
    bundle = bundle_of((path, f"{FILES[path]}{start}\n\n{end}\n"))
    verdict = judged(bundle)
    assert list(broken(verdict, bundle)) == []
    other = laid_out(bundle)
    assert other is None or list(unstable(verdict, judged(other))) == []


@few
@given(config=configs(), run=configs(), module=code())
def test_any_config_is_reviewed_alike_twice(config: str, run: str, module: str) -> None:
    train = ("src/train.py", FILES["src/train.py"] + module)
    bundle = bundle_of(("config/config.yaml", config), ("config/runs/r-1.yaml", run), train)
    verdict = judged(bundle)
    assert list(broken(verdict, bundle)) == []
    forget()
    assert judged(bundle) == verdict


@few
@given(table=project_tables())
def test_any_project_table_is_reviewed_and_mended(table: str) -> None:
    bundle = bundle_of(("pyproject.toml", table))
    assert list(broken(judged(bundle), bundle)) == []
    assert list(spoiled(subject_of(bundle), [c for c in CHECKS if c.STAGE <= 20])) == []


@few
@given(issue=rejections())
def test_any_rejection_is_tested(issue: str) -> None:
    bundle = bundle_of()
    verdict = judged(bundle, issue)
    assert list(broken(verdict, bundle)) == []
    assert judged(bundle, issue) == verdict


@settings(few, max_examples=20)
@given(
    path=st.sampled_from(["src/train.py", "src/evaluate.py", "src/main.py"]), body=code(), config=configs()
)
def test_codemods_end_and_leave_sound_files_sound(path: str, body: str, config: str) -> None:
    bundle = bundle_of((path, FILES[path] + body + "\n"), ("config/config.yaml", config))
    assert list(spoiled(subject_of(bundle), CHECKS)) == []
