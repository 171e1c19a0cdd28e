"""The catalogue holds together, and every data set in it can be made; needs no library of an environment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.doubles import hub
from tools.doubles.hub.storebuild.columns import card_feature, feature
from tools.doubles.hub.storebuild.datarepos import expanded, rows
from tools.doubles.hub.storebuild.spmfile import UNIGRAM, Piece, model_bytes
from tools.doubles.hub.storebuild.wordpiece import vocabulary

CATALOGUE = Path(str(hub.__file__)).parent / "catalog"


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


FAMILIES = [read(p) for p in sorted((CATALOGUE / "models").glob("*.json"))]
DATA = {n: e for p in sorted((CATALOGUE / "datasets").glob("*.json")) for n, e in read(p).items()}
WORDS = read(CATALOGUE / "words.json")
HUB = read(CATALOGUE / "hub.json")
MODELS = {name: model for f in FAMILIES for model in f["models"] for name in model["ids"]}
TOKENIZERS = {name: spec for f in FAMILIES for name, spec in f["tokenizers"].items()}


def stand_in(name: str) -> str | None:
    """The family's id that an unknown owner's model would be answered with."""
    ordered = sorted(FAMILIES, key=lambda f: HUB["family_order"].index(f["family"]))
    return next((f["stand_in"] for f in ordered if re.search(f["hint"], name, re.I)), None)


def test_references_inside_the_catalogue_resolve() -> None:
    assert {m["tokenizer"] for m in MODELS.values()} <= set(TOKENIZERS)
    assert {f["stand_in"] for f in FAMILIES} <= set(MODELS)
    assert {target for f in FAMILIES for target in f["moved"].values()} <= set(MODELS)
    assert sorted(HUB["family_order"]) == sorted(f["family"] for f in FAMILIES)


def test_short_names_and_near_misses() -> None:
    moved = {old: new for f in FAMILIES for old, new in f["moved"].items()}
    assert {n: moved.get(n) for n in ("bert-base-uncased", "gpt2", "t5-small", "roberta-base")} == {
        "bert-base-uncased": "google-bert/bert-base-uncased",
        "gpt2": "openai-community/gpt2",
        "t5-small": "google-t5/t5-small",
        "roberta-base": "FacebookAI/roberta-base",
    }
    real = {n.lower() for n in (*moved, *MODELS)}
    assert not real & {"llama-2-7b", "deberta-v3-base", "bert-base", "qwen3-0.6b"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my-roberta-base", "FacebookAI/roberta-base"),
        ("xlm-roberta-longformer", "FacebookAI/xlm-roberta-base"),
        ("deberta-v3-base-mnli", "microsoft/deberta-v3-base"),
        ("distilbert-imdb", "distilbert/distilbert-base-uncased"),
        ("bert-finetuned-ner", "google-bert/bert-base-uncased"),
        ("Llama-3.1-8B-tuned", "meta-llama/Llama-3.1-8B"),
        ("Llama-2-7b-tuned", "meta-llama/Llama-2-7b-hf"),
        ("Qwen3-0.6B-math", "Qwen/Qwen3-0.6B"),
        ("qwen2.5-7b-gsm8k", "Qwen/Qwen2.5-0.5B"),
        ("t5-summarizer", "google-t5/t5-small"),
        ("resnet-50", None),
    ],
)
def test_families_are_read_from_names(name: str, expected: str | None) -> None:
    assert stand_in(name) == expected


def test_short_data_set_names_are_aliases_of_one_repository() -> None:
    aliases = [(alias, name) for name, entry in DATA.items() for alias in entry.get("aliases", ())]
    assert len({alias for alias, _ in aliases}) == len(aliases)
    assert {a: n for a, n in aliases if a in ("glue", "sst2", "gsm8k", "cnn_dailymail", "conll2003")} == {
        "glue": "nyu-mll/glue",
        "sst2": "stanfordnlp/sst2",
        "gsm8k": "openai/gsm8k",
        "cnn_dailymail": "abisee/cnn_dailymail",
        "conll2003": "eriktks/conll2003",
    }


@pytest.mark.parametrize("name", sorted(DATA))
def test_every_config_can_be_made(name: str) -> None:
    for title, config in expanded(DATA[name]):
        for split in config["splits"]:
            table = rows(WORDS, config, split, 8, f"{name}/{title}")
            assert list(table) == list(config["columns"])
            assert {len(values) for values in table.values()} == {8}
            assert table == rows(WORDS, config, split, 8, f"{name}/{title}")


def labels(name: str, title: str, split: str) -> set[int]:
    config = dict(expanded(DATA[name]))[title]
    return set(rows(WORDS, config, split, 400, name)["label"])


def test_labels_cover_the_classes_and_are_hidden_where_the_real_ones_are() -> None:
    assert labels("nyu-mll/glue", "mnli", "train") == {0, 1, 2}
    assert labels("nyu-mll/glue", "mnli", "test_matched") == {-1}
    assert labels("nyu-mll/glue", "mrpc", "test") == {0, 1}
    assert labels("nyu-mll/glue", "stsb", "test") == {-1}
    assert labels("stanfordnlp/snli", "plain_text", "train") == {-1, 0, 1, 2}


def test_texts_are_ragged_and_not_all_ascii() -> None:
    config = dict(expanded(DATA["stanfordnlp/imdb"]))["plain_text"]
    texts = rows(WORDS, config, "train", 400, "imdb")["text"]
    lengths = {len(t.split()) for t in texts}
    assert min(lengths) < 60 < 120 < max(lengths)
    assert any(not t.isascii() for t in texts)


def test_sums_are_right() -> None:
    table = rows(WORDS, DATA["openai/gsm8k"]["base"], "train", 50, "gsm8k")
    for answer in table["answer"]:
        for left, sign, right, result in re.findall(r"<<(\d+)([+*])(\d+)=(\d+)>>", answer):
            assert int(result) == (int(left) + int(right) if sign == "+" else int(left) * int(right))
        assert answer.rpartition("#### ")[2].isdigit()


def test_tags_fit_tokens() -> None:
    config = dict(expanded(DATA["lhoestq/conll2003"]))["default"]
    table = rows(WORDS, config, "train", 300, "conll")
    names = config["columns"]["ner_tags"]["type"]["list"]["classes"]
    for tokens, tags in zip(table["tokens"], table["ner_tags"], strict=True):
        assert len(tokens) == len(tags)
        for before, tag in zip([0, *tags], tags, strict=False):
            if names[tag].startswith("I-"):
                assert names[before][2:] == names[tag][2:]


def test_both_notations_of_a_type() -> None:
    kind = {"list": {"classes": ["O", "B"]}}
    assert feature(kind) == {"feature": {"names": ["O", "B"], "_type": "ClassLabel"}, "_type": "Sequence"}
    assert card_feature("tags", kind) == {
        "name": "tags",
        "sequence": {"class_label": {"names": {"0": "O", "1": "B"}}},
    }


def test_wordpiece_layout_is_the_familys() -> None:
    pieces = vocabulary(TOKENIZERS["bert-uncased"], ["the cat sat on the mat"])
    assert len(pieces) == len(set(pieces)) == 30522
    assert [pieces[i] for i in (0, 100, 101, 102, 103, 999)] == [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "a",
    ]
    assert (pieces[1], pieces[99], pieces[104], pieces[998]) == (
        "[unused0]",
        "[unused98]",
        "[unused99]",
        "[unused993]",
    )


def test_model_file_bytes() -> None:
    data = model_bytes([Piece("<unk>", 0.0, "unknown"), Piece("▁a", -1.5)], model_type=UNIGRAM)
    unknown = b"\x0a\x05<unk>" + b"\x15\x00\x00\x00\x00" + b"\x18\x02"
    word = b"\x0a\x04\xe2\x96\x81a" + b"\x15\x00\x00\xc0\xbf"
    assert data.startswith(b"\x0a\x0e" + unknown + b"\x0a\x0b" + word + b"\x12")
