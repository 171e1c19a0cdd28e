"""All files of a tokenizer, in the form the family's real repositories have them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from . import bytebpe, spm, wordpiece
from .blobs import Files
from .outside import library

BUILDERS = {
    "wordpiece": wordpiece.build,
    "bytebpe": bytebpe.build,
    "unigram": spm.build_unigram,
    "merges": spm.build_merges,
}
FAST = "tokenizer.json"


class Tokenizers:
    """Builds each tokenizer of the catalogue once."""

    def __init__(self, specs: dict[str, dict[str, Any]], lines: list[str]) -> None:
        self.specs, self.lines = specs, lines
        self._built: dict[str, Files] = {}
        self._clash: dict[str, str] = {}

    def built(self, name: str) -> Files:
        """Every vocabulary file that can be made for a tokenizer, also those that real repositories lack."""
        if name not in self._built:
            spec = self.specs[name]
            self._built[name] = BUILDERS[spec["kind"]](spec, self.lines)
        return self._built[name]

    def files(self, name: str, overrides: dict[str, Any], only: list[str] | None) -> Files:
        """The files of a tokenizer; `overrides` go into its config, `only` names the files kept."""
        spec, built = self.specs[name], self.built(name)
        kept = only or spec.get("files") or list(built)
        config = {**spec["config"], **overrides}
        if spec.get("decoder_table"):
            config["added_tokens_decoder"] = _decoder_table(built[FAST])
        text = json.dumps(config, ensure_ascii=False, indent=2)
        return {**{n: built[n] for n in kept}, "tokenizer_config.json": text.encode()}

    def repaired(self, name: str, files: Files, config: bytes) -> tuple[Files, str]:
        """The files, and why a `tokenizer.json` was added to them (or nothing).

        Repositories without one are converted by the client. In an environment whose sentencepiece and
        protobuf do not fit each other that conversion fails for every bundle, so it proves nothing about
        the one at hand. A library that is missing altogether is another matter and left to fail.
        """
        if FAST in files or self.specs[name]["kind"] != "unigram":
            return files, ""
        if name not in self._clash:
            self._clash[name] = _conversion_clash({**files, "config.json": config})
        if not self._clash[name]:
            return files, ""
        return {**files, FAST: self.built(name)[FAST]}, self._clash[name]


def _conversion_clash(files: Files) -> str:
    """The error that loading the tokenizer ends with; nothing when it loads or a library is missing."""
    with tempfile.TemporaryDirectory() as folder:
        for path, data in files.items():
            (Path(folder) / path).write_bytes(data)
        try:
            library("transformers").AutoTokenizer.from_pretrained(folder)
        except ImportError:
            return ""
        # Whatever a broken pair of libraries raises is the answer here.
        except Exception as error:  # noqa: BLE001
            return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return ""


def _decoder_table(tokenizer_json: bytes) -> dict[str, dict[str, Any]]:
    """Ids and contents of the added tokens, as tokenizer configs repeat them."""
    keys = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    added = json.loads(tokenizer_json)["added_tokens"]
    return {str(token["id"]): {key: token[key] for key in keys} for token in added}
