"""The contract is read from the text; wording, order and markup may vary."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from policies.contract import STANDARD, ModeSwitch
from policies.contract_commands import Commands, read_commands
from policies.contract_reader import contract_of, read_contract, standard_number
from policies.records import Bundle, Request

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
FLAG = ModeSwitch(key="trial_mode", trial="true", full="false")
HEAD = ("python", "-u", "-m", "src.main", "run={run_id}", "results_dir={results_dir}")


def text_of(*, folder: str, mode: str, number: str, bullet: str, tick: str) -> str:
    """A criteria text of our own in one of many spellings."""
    full, trial = ("mode=full", "mode=trial") if mode == "mode" else ("", "trial_mode=true")
    command = f"{tick}uv run python -u -m src.main run={{run_id}} results_dir={{path}}"
    sections = [
        (
            "Hydra Integration",
            [
                f"Full: {command} {full}{tick}",
                f"Trial: {command} {trial}{tick}",
                f"Run configs: {tick}{folder}/*.yaml{tick}",
            ],
        ),
        ("Data Pipeline", [f"Uses {tick}.hub_cache/{tick} as cache directory"]),
        (
            "File Structure",
            ["Exactly:", f"{tick}src/main.py{tick}", f"{tick}src/run.py{tick}", "NO `setup.py`"],
        ),
        (
            "Evaluation",
            [
                f'{tick}uv run python -m src.score results_dir=<dir> run_ids=\'["a", "b"]\'{tick}',
                f"Writes {tick}{{results_dir}}/<run_id>/m.json{tick}",
                f"Draws {tick}{{results_dir}}/{{topic}}.json{tick}",
            ],
        ),
    ]
    lines = ["Intro."]
    for n, (title, bullets) in enumerate(sections, start=1):
        lines += [number.format(n=n, title=title), *(f"   {bullet} {b}" for b in bullets), ""]
    return "\n".join(lines)


SPELLINGS = list(
    itertools.product(
        ("config/runs", "config/run", "configs/experiment"),
        ("mode", "trial_mode"),
        ("{n}. **{title}**:", "### {n}) {title}", "**Criterion {n}: {title}**", "{n}. {title}"),
        ("-", "*", "•"),
        ("`", ""),
    )
)


@pytest.mark.parametrize(("folder", "mode", "number", "bullet", "tick"), SPELLINGS)
def test_every_spelling_reads_the_same(folder: str, mode: str, number: str, bullet: str, tick: str) -> None:
    contract = read_contract(text_of(folder=folder, mode=mode, number=number, bullet=bullet, tick=tick))
    assert contract.run_config_dir == folder
    assert contract.mode == (ModeSwitch() if mode == "mode" else FLAG)
    assert contract.train == (*HEAD, *(["mode=full"] if mode == "mode" else []))
    assert contract.trial == (*HEAD, "mode=trial" if mode == "mode" else "trial_mode=true")
    assert contract.evaluate == (
        "python",
        "-m",
        "src.score",
        "results_dir={results_dir}",
        "run_ids={run_ids}",
    )
    assert contract.files == ("src/main.py", "src/run.py")
    assert contract.outputs == ("{results_dir}/{run_id}/m.json",)
    assert contract.cache_dir == ".hub_cache/"
    assert [(c.number, standard_number(c.title)) for c in contract.criteria] == [
        (1, 2),
        (2, 3),
        (3, 5),
        (4, 8),
    ]
    assert (contract.entry_file, contract.assumed) == ("src/main.py", False)


def test_no_text_is_the_standard_contract() -> None:
    assert read_contract(" \n") is STANDARD
    assert STANDARD.assumed
    assert [standard_number(c.title) for c in STANDARD.criteria] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_what_the_text_does_not_say_is_the_standards() -> None:
    contract = read_contract("1. Quality\n - Be good.\n - Be\n   kind.\n")
    assert contract.model_copy(update={"name": STANDARD.name, "criteria": (), "assumed": True}) == (
        STANDARD.model_copy(update={"criteria": ()})
    )
    assert contract.criteria[0].sentences == ("Be good.", "Be\nkind.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Run `python3 -m src.main run=<id> mode={trial|full}`.",
            Commands(
                ("python", "-m", "src.main", "run={run_id}", "mode=full"),
                ("python", "-m", "src.main", "run={run_id}", "mode=trial"),
                STANDARD.evaluate,
                ModeSwitch(),
            ),
        ),
        (
            "python -m src.main run={run id} [trial_mode=true]",
            Commands(
                ("python", "-m", "src.main", "run={run_id}"),
                ("python", "-m", "src.main", "run={run_id}", "trial_mode=true"),
                STANDARD.evaluate,
                FLAG,
            ),
        ),
        (
            "Only `python -m src.main run={run_id}` is named; cfg.trial_mode makes it short.",
            Commands(
                ("python", "-m", "src.main", "run={run_id}"),
                ("python", "-m", "src.main", "run={run_id}", "trial_mode=true"),
                STANDARD.evaluate,
                FLAG,
            ),
        ),
        (
            "Test: python -u -m src.main run={run_id} \\\n  mode=trial (short; it's fast)\n"
            "Then: python -m src.evaluate --results_dir {dir} --run-ids '[\"a\"]' and look",
            Commands(
                ("python", "-u", "-m", "src.main", "run={run_id}", "mode=full"),
                ("python", "-u", "-m", "src.main", "run={run_id}", "mode=trial"),
                ("python", "-m", "src.evaluate", "--results_dir", "{results_dir}", "--run-ids", "{run_ids}"),
                ModeSwitch(),
            ),
        ),
        ("No command.", Commands(STANDARD.train, STANDARD.trial, STANDARD.evaluate, ModeSwitch())),
    ],
)
def test_commands(text: str, expected: Commands) -> None:
    assert read_commands(text) == expected


def test_an_assumed_contract_follows_the_folder_of_the_run_configs() -> None:
    bundle = Bundle(files={}, run_configs={"config/run/a.yaml": ""})
    request = Request(source="x", kind="directory", bundle=bundle)
    assert contract_of(request).run_config_dir == "config/run"
    assert contract_of(request.model_copy(update={"bundle": Bundle(files={})})) is STANDARD


def test_fenced_examples_belong_to_their_bullet() -> None:
    text = '1. Evaluation:\n   - Writes\n     ```json\n     {"a": 1}\n     - no bullet\n     ```\n   - Next\n'
    assert read_contract(text).criteria[0].sentences == (
        'Writes\n```json\n     {"a": 1}\n     - no bullet\n     ```',
        "Next",
    )


def test_the_corpus_is_read_as_it_says() -> None:
    paths = sorted((CORPUS / "series").rglob("01.txt"))
    if not paths:
        pytest.skip(f"the corpus is not there: {CORPUS}")
    for path in paths:
        text = path.read_text(encoding="utf-8")
        contract = read_contract(text[text.index("## Core") : text.index("## Output")])
        assert contract.run_config_dir == ("config/run" if path.parent.name == "A" else "config/runs"), path
        assert contract.trial == STANDARD.trial, path
        assert (contract.train, contract.evaluate) == (STANDARD.train, STANDARD.evaluate), path
        assert (contract.files, contract.outputs) == (STANDARD.files, STANDARD.outputs), path
        assert [standard_number(c.title) for c in contract.criteria] == list(range(1, 10)), path
