"""Tokenizers with a SentencePiece file: unigram (T5, XLM-R, DeBERTa v3) and merges (Llama 2, Mistral)."""

from __future__ import annotations

from typing import Any

from .blobs import Files
from .merges import table
from .outside import library
from .pieces import alphabet, common_words, fill, single_characters
from .spmfile import BPE, UNIGRAM, Piece, model_bytes

START = "▁"


def _heads(spec: dict[str, Any]) -> list[Piece]:
    """Special pieces in id order; `[pattern, kind, first, last]` stands for a numbered row of them."""
    heads = []
    for text, kind, *span in spec["head"]:
        numbers = range(span[0], span[1] + 1) if span else (0,)
        heads += [Piece(text.format(n), 0.0, kind) for n in numbers]
    return heads


def _unigram_pieces(spec: dict[str, Any], lines: list[str]) -> list[Piece]:
    """Heads, then words by frequency, then characters: a longer piece always beats its parts."""
    characters = single_characters("".join(lines)) + alphabet()
    if spec.get("lowercase"):
        lines = [line.lower() for line in lines]
        characters = [c for c in characters if c == c.lower()]
    words = [w for w in common_words(lines) if w.isalnum()]
    texts = [START, *(START + w for w in words), *(w for w in words if len(w) > 2), "s", "ing", "ed"]
    texts += [*characters, *(START + c for c in characters)]
    heads = _heads(spec)
    texts = [t for t in dict.fromkeys(texts) if t not in {h.text for h in heads}]
    filled = fill(texts, spec["size"] - len(heads), (START, ""))
    single = set(characters) | {START}
    scored = [Piece(t, -18.0 if t in single else -6.0 - 8.0 * i / len(filled)) for i, t in enumerate(filled)]
    return heads + scored


def _unigram_normalizer(spec: dict[str, Any]) -> Any:
    tk = library("tokenizers")
    normalizers = tk.normalizers
    steps: list[Any] = [normalizers.NFKC()]
    if spec.get("lowercase"):
        steps = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    return normalizers.Sequence([*steps, normalizers.Replace(tk.Regex(" {2,}"), " ")])


def _template(spec: dict[str, Any], ids: dict[str, int]) -> Any:
    single, pair = spec["template"]
    tokens = [(t, ids[t]) for t in spec["template_tokens"]]
    return library("tokenizers.processors").TemplateProcessing(
        single=single, pair=pair, special_tokens=tokens
    )


def _unigram_fast(spec: dict[str, Any], pieces: list[Piece]) -> bytes:
    """`tokenizer.json` of a unigram model; some families shift ids or add tokens against the model file."""
    fast = spec["fast"]
    vocabulary = [(p.text, p.score) for p in pieces]
    if "head" in fast:
        vocabulary = [(t, 0.0) for t in fast["head"]] + vocabulary[len(_heads(spec)) :]
    vocabulary += [(t, 0.0) for t in fast.get("tail", [])]
    unknown = next(p.text for p in pieces if p.kind == "unknown")
    ids = {text: index for index, (text, _) in enumerate(vocabulary)}
    tk = library("tokenizers")
    tokenizer = tk.Tokenizer(library("tokenizers.models").Unigram(vocabulary, unk_id=ids[unknown]))
    tokenizer.normalizer = _unigram_normalizer(spec)
    tokenizer.pre_tokenizer = tk.pre_tokenizers.Metaspace()
    tokenizer.decoder = tk.decoders.Metaspace()
    tokenizer.add_special_tokens(list(spec["special"]))
    tokenizer.post_processor = _template(spec, ids)
    return bytes(tokenizer.to_str(), "utf-8")


def build_unigram(spec: dict[str, Any], lines: list[str]) -> Files:
    """The files of one unigram tokenizer, without its config."""
    pieces = _unigram_pieces(spec, lines)
    marks = {key: spec.get(key, "") for key in ("begin", "end", "pad")}
    model = model_bytes(pieces, model_type=UNIGRAM, **marks)
    return {spec["model_file"]: model, "tokenizer.json": _unigram_fast(spec, pieces)}


def _merge_fast(spec: dict[str, Any], ids: dict[str, int], merges: list[tuple[str, str]]) -> bytes:
    tk = library("tokenizers")
    normalizers, decoders = tk.normalizers, tk.decoders
    settings = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    tokenizer = tk.Tokenizer(library("tokenizers.models").BPE(ids, merges, **settings))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(START), normalizers.Replace(" ", START)])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(START, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(list(spec["special"]))
    tokenizer.post_processor = _template(spec, ids)
    return bytes(tokenizer.to_str(), "utf-8")


def build_merges(spec: dict[str, Any], lines: list[str]) -> Files:
    """The files of one merging tokenizer with a byte for every character it does not know."""
    heads = _heads(spec) + [Piece(f"<0x{b:02X}>", 0.0, "byte") for b in range(256)]
    letters = [START, *dict.fromkeys(alphabet() + single_characters("".join(lines)))]
    letters = list(dict.fromkeys(letters))
    merged = table(
        lines, letters, library("tokenizers.pre_tokenizers").Metaspace(), spec["size"] - len(heads), START
    )
    # Real files list what was merged first, in the order of its rank, and single characters last.
    joined = list(merged.pieces)[len(letters) :] + letters
    pieces = heads + [Piece(text, -float(rank)) for rank, text in enumerate(joined)]
    ids = {piece.text: index for index, piece in enumerate(pieces)}
    marks = {key: spec.get(key, "") for key in ("begin", "end", "pad")}
    model = model_bytes(pieces, model_type=BPE, remove_extra_whitespaces=False, **marks)
    return {spec["model_file"]: model, "tokenizer.json": _merge_fast(spec, ids, merged.merges)}
