"""Tokenizers on bytes, as GPT-2, RoBERTa, Qwen and Llama 3 have them."""

from __future__ import annotations

import json
from typing import Any

from .blobs import Files
from .merges import MergeTable, table
from .outside import library

START = "Ġ"
DIGITS_ONE = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITS = {"qwen": DIGITS_ONE, "llama3": DIGITS_ONE.replace(r"|\p{N}|", r"|\p{N}{1,3}|")}


def _pre_tokenizer(spec: dict[str, Any]) -> Any:
    before = library("tokenizers.pre_tokenizers")
    pattern = SPLITS.get(spec.get("split", ""))
    if pattern is None:
        return before.ByteLevel(add_prefix_space=False)
    split = before.Split(library("tokenizers").Regex(pattern), behavior="isolated")
    return before.Sequence([split, before.ByteLevel(add_prefix_space=False, use_regex=False)])


def _post_processor(spec: dict[str, Any], ids: dict[str, int]) -> Any:
    after = library("tokenizers.processors")
    if "roberta" in spec:
        begin, end = spec["roberta"]
        return after.RobertaProcessing((end, ids[end]), (begin, ids[begin]), add_prefix_space=False)
    plain = after.ByteLevel(trim_offsets=False)
    if "template" not in spec:
        return plain
    tokens = [(t, ids[t]) for t in spec["template_tokens"]]
    single, pair = spec["template"]
    return after.Sequence([plain, after.TemplateProcessing(single=single, pair=pair, special_tokens=tokens)])


def _vocabulary(spec: dict[str, Any], lines: list[str]) -> tuple[list[str], MergeTable]:
    head, tail = spec.get("head", []), spec.get("tail", [])
    letters = sorted(library("tokenizers.pre_tokenizers").ByteLevel.alphabet())
    merged = table(lines, letters, _pre_tokenizer(spec), spec["size"] - len(head) - len(tail), START)
    return [*head, *merged.pieces, *tail], merged


def build(spec: dict[str, Any], lines: list[str]) -> Files:
    """The files of one tokenizer, without its config."""
    pieces, merged = _vocabulary(spec, lines)
    ids = {piece: index for index, piece in enumerate(pieces)}
    tk = library("tokenizers")
    tokenizer = tk.Tokenizer(library("tokenizers.models").BPE(ids, merged.merges))
    if spec.get("nfc"):
        tokenizer.normalizer = tk.normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(spec)
    tokenizer.decoder = tk.decoders.ByteLevel()
    tokenizer.add_special_tokens(list(spec["special"]))
    tokenizer.add_tokens(list(spec.get("plain", [])))
    everything = tokenizer.get_vocab(with_added_tokens=True)
    tokenizer.post_processor = _post_processor(spec, everything)
    lines_of_merges = ["#version: 0.2", *(f"{a} {b}" for a, b in merged.merges)]
    return {
        "tokenizer.json": tokenizer.to_str().encode(),
        "vocab.json": json.dumps(ids, ensure_ascii=False).encode(),
        "merges.txt": ("\n".join(lines_of_merges) + "\n").encode(),
    }
