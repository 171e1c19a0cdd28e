"""What the code asks the hub for, in each run."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.hub import asks, lacks_pad_token, may_lack_owner, right_model, said_by
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.hydra.moved_paths import directory_dependent
from policies.parsed import ParsedBundle, parse_module, parse_yaml
from policies.records import Bundle
from policies.replace_node import with_table
from policies.tables import table

RUN = "run_id: {run}\nmodel:\n  name: {name}  # base\ntraining:\n  epochs: 1\n"
RUNS = {
    f"config/runs/{run}.yaml": RUN.format(run=run, name=name)
    for run, name in (("a", "gpt2"), ("b", "Llama-2-7B"))
}
HEAD = "from transformers import AutoTokenizer as T\n"
MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"


def bundle(source: str) -> ParsedBundle:
    """A bundle with this training script and two runs."""
    return ParsedBundle(Bundle(files={**CONFIG, "src/train.py": source}, run_configs=RUNS), STANDARD)


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        (f"{HEAD}{MERGED}    T.from_pretrained(cfg.model.name)\n", {"a": "gpt2", "b": "Llama-2-7B"}),
        (
            f"{HEAD}{MERGED}    m = cfg.model\n    T.from_pretrained(m['name'])\n",
            {"a": "gpt2", "b": "Llama-2-7B"},
        ),
        (
            f"{HEAD}\n\nclass C:\n    def f(self):\n        T.from_pretrained(self.cfg.model.name)\n",
            {"a": "gpt2", "b": "Llama-2-7B"},
        ),
        (f"{HEAD}T.from_pretrained('x/y')\n", {"": "x/y"}),
        (
            f"{HEAD}IDS = {{'Llama-2-7B': 'me/llama'}}\n{MERGED}"
            "    T.from_pretrained(IDS.get(cfg.model.name, cfg.model.name))\n",
            {"a": "gpt2", "b": "me/llama"},
        ),
    ],
)
def test_ids_are_followed_to_the_call(source: str, ids: dict[str, str]) -> None:
    assert [dict(ask.ids) for ask in asks(bundle(source), "model")] == [ids]


@pytest.mark.parametrize(
    "call",
    ["T.from_pretrained(pick(cfg))", "Mine.from_pretrained(cfg.model.name)", "T.from_pretrained(other.name)"],
)
def test_what_cannot_be_known_is_not_asked(call: str) -> None:
    assert asks(bundle(f"{HEAD}{MERGED}    {call}\n"), "model") == ()


def test_evidence_names_the_line_of_the_run_config() -> None:
    subject = bundle(f"{HEAD}{MERGED}    T.from_pretrained(cfg.model.name)\n")
    (ask,) = asks(subject, "model")
    assert list(said_by(ask, subject)) == [
        "config/runs/a.yaml:3 says `name: gpt2  # base`",
        "config/runs/b.yaml:3 says `name: Llama-2-7B  # base`",
    ]


def test_the_table_points_only_to_ids_that_need_no_other_one() -> None:
    rights = set(table("hub_ids")["models"].values())
    assert {right for right in rights if right_model(right) or "/" not in right} == set()


def test_names_are_told_apart() -> None:
    names = ["LLama_2 7B", "meta-llama/Llama-2-7b-hf", "gpt2", "bert-base-cased", "my-model"]
    assert [right_model(n) for n in names] == ["meta-llama/Llama-2-7b-hf", "", "", "", ""]
    assert [may_lack_owner(n) for n in names] == [False, False, True, True, False]
    assert [lacks_pad_token(n) for n in names] == [True, True, True, False, False]


def test_a_table_is_made_once_and_extended() -> None:
    once = with_table('"""Doc."""\nimport os\n\nprint(os)\n', "T", {"a": "b"}, "Why.")
    assert once == '"""Doc."""\nimport os\n\n# Why.\nT = {\n    "a": "b",\n}\n\nprint(os)\n'
    assert once is not None
    assert with_table(once, "T", {"c": "d"}, "Why.") == once.replace('"b",\n', '"b",\n    "c": "d",\n')
    assert with_table("import os\nfor T in os.environ:\n    pass\n", "T", {"a": "b"}, "Why.") is None


def test_lines_that_depend_on_the_directory_are_listed() -> None:
    source = (
        "import subprocess\nfrom pathlib import Path\n\nsubprocess.run(['python', '-m', 'src.train'])\n"
        "subprocess.run(['python', '-m', 'src.train'], cwd=root)\nPath(f'config/{run}.yaml')\n"
        "Path('/data/x')\nload(name, cache_dir='.cache/')\n"
    )
    assert directory_dependent(parse_module("src/main.py", source)) == (
        (4, "the child started with `-m` finds no module `src`"),
        (6, "`f'config/{run}.yaml'` is relative"),
        (8, "`cache_dir='.cache/'` moves"),
    )


def test_a_character_that_yaml_refuses_is_found_on_its_line() -> None:
    document = parse_yaml("config/config.yaml", "a: 1\nb: 2\n# \x08\n")
    assert (document.data, document.error_line) == (None, 3)
