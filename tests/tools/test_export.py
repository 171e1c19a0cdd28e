"""Bundles on their way out, read in again by intake."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.contract import STANDARD
from policies.contract_reader import read_contract
from policies.errors import BackendError, UsageError
from policies.records import Bundle, Rejection, Request, ResearchContext, Run
from tools.export import as_json, as_transcript, write_folder, write_text
from tools.intake import read_request

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
SEVEN = Bundle(files=dict.fromkeys(STANDARD.files, "x\n"), run_configs={"config/runs/r.yaml": "a: 1\n"})


def test_seven_files_have_flat_keys_and_others_their_paths() -> None:
    assert as_json(SEVEN, STANDARD.files)["config_yaml"] == "x\n"
    assert len(as_json(SEVEN, STANDARD.files)) == 7
    for other in (SEVEN.with_file("src/extra.py", ""), SEVEN.without_file("src/main.py")):
        assert as_json(other, STANDARD.files) == dict(sorted(other.tree.items()))


def test_transcripts_of_requests_read_the_same_again(tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real transcripts is not there")
    files = [*sorted((CORPUS / "seeds").glob("*.txt")), *sorted((CORPUS / "series").glob("*/01.txt"))]
    for path in files:
        request = read_request(path)
        contract = read_contract(request.criteria)
        text = as_transcript(request, request.bundle, request.rejection, contract.files)
        write_text(text, tmp_path / "again.txt")
        again = read_request(tmp_path / "again.txt")
        assert again == request.model_copy(update={"source": again.source})


def test_a_transcript_carries_what_no_prompt_spelled_out(tmp_path: Path) -> None:
    context = ResearchContext(
        method="m", metrics=("f1", "loss"), primary_metric="hv", runs=(Run(run_id="a"),)
    )
    bundle = Bundle(
        files={"src/main.py": "print('</x>')\n", "tools/more.py": ""},
        run_configs={"config/runs/a.yaml": "x: |\n  ```\n  y\n", "config/runs/b.yaml": "q: 2\n"},
    )
    request = Request(source="s", kind="json", bundle=bundle, context=context)
    verdict = Rejection(is_code_ready=True, code_issue="")
    write_text(as_transcript(request, bundle, verdict, STANDARD.files), tmp_path / "t.txt")
    again = read_request(tmp_path / "t.txt")
    assert (again.bundle, again.rejection) == (bundle, verdict)
    assert (again.context.metrics, again.context.primary_metric) == (("f1", "loss"), "hv")
    assert again.context.runs == (Run(run_id="a"), Run(run_id="b"))


def test_a_folder_is_written_whole_or_refused(tmp_path: Path) -> None:
    assert write_folder(SEVEN, tmp_path / "a" / "b") == tuple(sorted(SEVEN.tree))
    with pytest.raises(UsageError, match="is not empty; name a folder that is new or empty"):
        write_folder(SEVEN, tmp_path / "a")
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match="is a file; name a folder"):
        write_folder(SEVEN, tmp_path / "f")
    with pytest.raises(BackendError, match=r"cannot be written: Not a directory"):
        write_folder(SEVEN, tmp_path / "f" / "g")
    with pytest.raises(BackendError, match=r"cannot be written: No such file or directory"):
        write_text("x", tmp_path / "none" / "t.txt")
    with pytest.raises(UsageError, match="a path that cannot be kept"):
        write_folder(Bundle(files={"../x": ""}), tmp_path / "c")
