"""Unmodified transformers, datasets and evaluate against the double, in a real environment.

Needs SUTURE_TEST_ENV, the path of an interpreter that has them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tools.doubles.hub import make_store
from tools.doubles.hub.server import serve
from tools.doubles.hub.store import hub_env

PYTHON = os.environ.get("SUTURE_TEST_ENV", "")
FAMILIES = ("bert", "roberta", "deberta-v2", "llama", "qwen3", "t5")
DATA = ("nyu-mll/glue", "stanfordnlp/sst2", "eriktks/conll2003", "lhoestq/conll2003", "openai/gsm8k")
CLIENT = """
import json, sys
import torch
from datasets import load_dataset
from transformers import (AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer)

def outcome(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}".split("\\n")[0]

def tokenizer(name):
    found = AutoTokenizer.from_pretrained(name, cache_dir=".cache/")
    if found.pad_token is None:
        found.pad_token = found.eos_token
    return found

def train(model, batch, labels):
    model.train()
    loss = model(**batch, labels=labels).loss
    loss.backward()
    moved = sum(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())
    return bool(torch.isfinite(loss)) and moved > 10

def classify(name):
    words = tokenizer(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=3, cache_dir=".cache/")
    model.config.pad_token_id = words.pad_token_id
    batch = words(["A small house.", "é"], ["no", "日本"], padding=True, truncation=True, return_tensors="pt")
    learned = train(model, batch, torch.tensor([0, 2]))
    return [model.config.vocab_size, len(words), words.pad_token_id, learned]

def tag(name):
    config = AutoConfig.from_pretrained(name, num_labels=9, cache_dir=".cache/")
    model = AutoModelForTokenClassification.from_pretrained(name, config=config, cache_dir=".cache/")
    batch = tokenizer(name)([["Anna", "left"]], is_split_into_words=True, return_tensors="pt")
    return train(model, batch, torch.zeros_like(batch["input_ids"]))

def speak(name, kind=AutoModelForCausalLM, **options):
    words = tokenizer(name)
    model = kind.from_pretrained(name, cache_dir=".cache/", **options)
    batch = words(["How many?", "One"], padding=True, return_tensors="pt")
    batch.pop("token_type_ids", None)
    made = model.generate(**batch, max_new_tokens=3, do_sample=False)
    labels = batch["input_ids"]
    return [str(model.dtype), len(made), train(model, batch, labels)]

def adapt(name):
    from peft import LoraConfig, get_peft_model
    model = AutoModelForCausalLM.from_pretrained(name)
    lora = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
    return sum("lora_A" in n for n, _ in lora.named_parameters())

def sizes(*given, **options):
    found = load_dataset(*given, cache_dir=".cache/", **options)
    return {split: rows.num_rows for split, rows in found.items()}

def stream():
    rows = load_dataset("openai/gsm8k", "main", split="train", streaming=True)
    return sorted(next(iter(rows)))

def metric():
    import evaluate
    found = evaluate.load("glue", "mrpc", cache_dir=".cache/")
    return found.compute(predictions=[1, 0, 1, 1], references=[1, 0, 0, 1])

def chat():
    turns = [{"role": "user", "content": "Hi"}]
    return tokenizer("Qwen/Qwen3-0.6B").apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

sst2 = load_dataset("glue", "sst2", cache_dir=".cache/")
json.dump({
    "classify": {n: outcome(lambda: classify(n)) for n in json.loads(sys.argv[1])},
    "tag": outcome(lambda: tag("bert-base-cased")),
    "speak": outcome(lambda: speak("Qwen/Qwen3-0.6B", torch_dtype=torch.bfloat16)),
    "speak llama": outcome(lambda: speak("meta-llama/Llama-2-7b-hf")),
    "summarize": outcome(lambda: speak("t5-small", AutoModelForSeq2SeqLM)),
    "adapt": outcome(lambda: adapt("Qwen/Qwen3-0.6B")),
    "chat": outcome(chat),
    "refused": [outcome(lambda: AutoModel.from_pretrained(n)) for n in ("Llama-2-7B", "DeBERTa-v3-base")],
    "glue": outcome(lambda: sizes("glue", "mnli")),
    "label": [sst2["train"].features["label"].names, sst2["test"][0]["label"]],
    "script": outcome(lambda: sizes("conll2003")),
    "converted": outcome(lambda: sizes("conll2003", revision="refs/convert/parquet")),
    "twin": outcome(lambda: sizes("lhoestq/conll2003")),
    "no config": outcome(lambda: sizes("gsm8k")),
    "unknown": outcome(lambda: sizes("nosuchset")),
    "stream": outcome(stream),
    "metric": outcome(metric),
}, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the client libraries made of the double, and what its journal says."""
    if not PYTHON:
        pytest.skip("SUTURE_TEST_ENV does not name an interpreter with transformers and datasets")
    folder = tmp_path_factory.mktemp("hub")
    plain = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    build = [PYTHON, str(make_store.__file__), "--out", str(folder / "store")]
    options = ["--models", *FAMILIES, "--datasets", *DATA]
    subprocess.run([*build, *options], check=True, env={**plain, "HF_HUB_OFFLINE": "1"}, capture_output=True)
    server = serve(folder / "store", folder / "log")
    (folder / "client.py").write_text(CLIENT, encoding="utf-8")
    names = ["bert-base-uncased", "roberta-base", "microsoft/deberta-v3-base", "Qwen/Qwen3-0.6B"]
    env = {**plain, **hub_env(server.server_address[1], home=str(folder / "home"))}
    command = [PYTHON, "client.py", json.dumps(names), "out.json"]
    subprocess.run(command, check=True, env=env, cwd=folder, capture_output=True, timeout=300)
    server.shutdown()
    log = [json.loads(line) for line in (folder / "log").read_text("utf-8").splitlines()]
    yield {**json.loads((folder / "out.json").read_text("utf-8")), "log": log}


def test_every_family_classifies_and_learns(answers: dict[str, Any]) -> None:
    assert answers["classify"] == {
        "bert-base-uncased": [30522, 30522, 0, True],
        "roberta-base": [50265, 50265, 1, True],
        "microsoft/deberta-v3-base": [128100, 128001, 0, True],
        "Qwen/Qwen3-0.6B": [151936, 151669, 151643, True],
    }
    assert answers["tag"] is True


def test_language_models_speak_learn_and_take_adapters(answers: dict[str, Any]) -> None:
    assert answers["speak"] == ["torch.bfloat16", 2, True]
    assert answers["speak llama"][1:] == [2, True]
    assert answers["summarize"] == ["torch.float32", 2, True]
    assert answers["adapt"] == 8
    assert answers["chat"] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_ids_that_do_not_exist_are_refused_as_by_the_real_hub(answers: dict[str, Any]) -> None:
    assert [r.split(" is not a")[0] for r in answers["refused"]] == [
        "OSError: Llama-2-7B",
        "OSError: DeBERTa-v3-base",
    ]
    refused = {e["path"] for e in answers["log"] if e["kind"] == "refused"}
    assert {"/Llama-2-7B/resolve/main/config.json", "/DeBERTa-v3-base/resolve/main/config.json"} <= refused


def test_data_sets(answers: dict[str, Any]) -> None:
    others = {f"{s}_{m}": 300 for s in ("validation", "test") for m in ("matched", "mismatched")}
    assert answers["glue"] == {"train": 1000, **others}
    assert answers["label"] == [["negative", "positive"], -1]
    assert answers["twin"] == answers["converted"] == {"train": 1000, "validation": 300, "test": 300}
    assert answers["stream"] == ["answer", "question"]


def test_data_sets_that_the_real_hub_does_not_load(answers: dict[str, Any]) -> None:
    assert (
        answers["script"] == "RuntimeError: Dataset scripts are no longer supported, but found conll2003.py"
    )
    assert answers["no config"].startswith("ValueError: Config name is missing.")
    unknown = "DatasetNotFoundError: Dataset 'nosuchset' doesn't exist on the Hub or cannot be accessed."
    assert answers["unknown"] == unknown


def test_metrics(answers: dict[str, Any]) -> None:
    assert answers["metric"] == {"accuracy": 0.75, "f1": pytest.approx(0.8)}


def test_assumptions_are_told(answers: dict[str, Any]) -> None:
    told = [e["text"] for e in answers["log"] if e["kind"] == "assumption"]
    assert "meta-llama/Llama-2-7b-hf is gated on the real hub; its licence is assumed to be accepted" in told
    smaller = "hidden_size 64 instead of 768, num_hidden_layers 4 instead of 12"
    stand_in = "google-bert/bert-base-uncased is a small stand-in with random weights"
    assert f"{stand_in} (among others {smaller})" in told
