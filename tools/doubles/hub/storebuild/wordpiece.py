"""Tokenizers of the BERT kind: `vocab.txt` and `tokenizer.json`."""

from __future__ import annotations

from typing import Any

from .blobs import Files
from .outside import library
from .pieces import alphabet, common_words, fill


def vocabulary(spec: dict[str, Any], lines: list[str]) -> list[str]:
    """All pieces in id order: specials at their real ids, unused slots, characters, words, pseudo-words."""
    specials = {index: token for token, index in spec["specials"].items()}
    names = (f"[unused{n}]" for n in range(spec["first"]))
    pieces = [specials.get(index) or next(names) for index in range(spec["first"])]
    characters = alphabet()
    words = common_words(lines)
    if spec["lowercase"]:
        characters = [c for c in characters if c == c.lower()]
        words = [w.lower() for w in words]
    pieces += characters + ["##" + c for c in characters]
    pieces += [w for w in words if len(w) > 1 and w.isalnum()] + ["##s", "##ing", "##ed", "##er", "##ly"]
    return fill(list(dict.fromkeys(pieces)), spec["size"], ("", "##"))


def build(spec: dict[str, Any], lines: list[str]) -> Files:
    """The files of one tokenizer, without its config."""
    pieces = vocabulary(spec, lines)
    ids = {piece: index for index, piece in enumerate(pieces)}
    tk = library("tokenizers")
    tokenizer = tk.Tokenizer(library("tokenizers.models").WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = tk.normalizers.BertNormalizer(lowercase=spec["lowercase"])
    tokenizer.pre_tokenizer = tk.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tk.processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.decoder = tk.decoders.WordPiece()
    tokenizer.add_special_tokens(list(spec["specials"]))
    return {
        "vocab.txt": ("\n".join(pieces) + "\n").encode(),
        "tokenizer.json": tokenizer.to_str().encode(),
    }
