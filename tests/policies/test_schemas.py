"""Which data set an expression holds, and in which runs."""

from __future__ import annotations

import ast

import pytest

from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.schemas import schemas, source_of

RUNS = {
    f"config/runs/{run}.yaml": f"run_id: {run}\ndata:\n  name: {name}\n  part: {part}\n"
    for run, name, part in (("a", "glue", "mnli"), ("b", "imdb", "null"))
}


@pytest.mark.parametrize(
    ("source", "names", "as_loaded", "split"),
    [
        ("load_dataset('imdb')", ["imdb"], True, False),
        ("load_dataset('imdb')['train']", ["imdb"], True, True),
        ("load_dataset('imdb', split='train')", ["imdb"], True, True),
        ("load_dataset('glue')", [], True, False),
        ("load_dataset('glue', 'sst2').shuffle()", ["glue/sst2"], True, False),
        ("load_dataset('glue', 'sst2').map(f)", ["glue/sst2"], False, False),
        ("load_dataset('imdb', data_files='x')", [], True, False),
        ("load_dataset(cfg.data.name, cfg.data.part)", ["glue/mnli", "imdb"], True, False),
        ("load_dataset('a/b')", [], True, False),
    ],
)
def test_source(source: str, names: list[str], as_loaded: bool, split: bool) -> None:
    text = f"from datasets import load_dataset\nrows = {source}\nprint(rows)\n"
    subject = ParsedBundle(Bundle(files={"src/train.py": text}, run_configs=RUNS), STANDARD)
    module = subject.modules["src/train.py"]
    (name,) = [n for n in module.nodes if isinstance(n, ast.Name) and n.id == "rows" and n.lineno == 3]
    found = source_of(module, name)
    assert found is not None
    assert (found.as_loaded, found.split) == (as_loaded, split)
    assert [each.name for each in schemas(subject, found)] == names


def test_a_name_that_goes_back_to_itself_is_nothing() -> None:
    text = "from datasets import load_dataset\nrows = rows.map(f)\nprint(rows)\n"
    subject = ParsedBundle(Bundle(files={"src/train.py": text}), STANDARD)
    module = subject.modules["src/train.py"]
    name = [n for n in module.nodes if isinstance(n, ast.Name) and n.id == "rows"][-1]
    assert source_of(module, name) is None
