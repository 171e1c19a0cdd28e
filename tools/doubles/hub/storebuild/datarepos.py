"""Data set repositories: parquet files of made-up rows, and cards with the real configs and features."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from .blobs import Blobs, Files, revision
from .columns import arrow, card_feature, feature
from .outside import library
from .tasks import MAKERS
from .texts import Writer

Say = Callable[[str], None]
TRAIN_ROWS, OTHER_ROWS = 1000, 300
SCRIPT = b"# This repository is a loading script; its data are not in it.\n"


def _columns(config: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Column name, field of the row maker, and type of every column."""
    for name, column in config["columns"].items():
        if isinstance(column, str):
            yield name, column, "string"
        else:
            yield name, column["from"], column["type"]


def _cell(source: str, row: dict[str, Any], index: int, seed: str) -> Any:
    """A field of the row, or one of the fields that every row has."""
    if source == "index":
        return index
    if source == "index_text":
        return str(index)
    if source == "key":
        return f"{abs(hash_text(f'{seed}/{index}')):024x}"
    if source.startswith("="):
        return source[1:]
    return row[source]


def hash_text(text: str) -> int:
    """A number that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:12], "big")


def rows(
    words: dict[str, Any], config: dict[str, Any], split: str, count: int, seed: str
) -> dict[str, list[Any]]:
    """Column name -> values of one split. Labels of an unlabelled split are -1, as in the real ones."""
    writer = Writer(words, f"{seed}/{split}")
    maker, options = MAKERS[config["task"]], config.get("options", {})
    columns = list(_columns(config))
    table: dict[str, list[Any]] = {name: [] for name, _, _ in columns}
    hidden = split in config.get("unlabelled", ())
    for index in range(count):
        row = maker(writer, index, options)
        for name, source, kind in columns:
            unknown = hidden and isinstance(kind, dict) and "classes" in kind
            table[name].append(-1 if unknown else _cell(source, row, index, f"{seed}/{split}"))
    for name in config.get("hidden_columns", ()) if hidden else ():
        table[name] = [type(value)() if isinstance(value, str) else -1 for value in table[name]]
    return table


def parquet(config: dict[str, Any], table: dict[str, list[Any]]) -> bytes:
    """The table as a parquet file that carries its features."""
    pa, pq = library("pyarrow"), library("pyarrow.parquet")

    kinds = {name: kind for name, _, kind in _columns(config)}
    features = {name: feature(kind) for name, kind in kinds.items()}
    note = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    schema = pa.schema([pa.field(n, arrow(k)) for n, k in kinds.items()], metadata=note)
    sink = io.BytesIO()
    columns = [pa.array(table[name], type=arrow(kind)) for name, kind in kinds.items()]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink)
    return sink.getvalue()


def _split_rows(config: dict[str, Any], split: str) -> int:
    given = config.get("rows", {})
    usual = TRAIN_ROWS if split.startswith(("train", "auxiliary_train", "unsupervised")) else OTHER_ROWS
    return int(given.get(split, given.get("*", usual)))


class DataRepos:
    """Builds the data set repositories of the catalogue."""

    def __init__(self, blobs: Blobs, words: dict[str, Any], say: Say) -> None:
        self.blobs, self.words, self.say = blobs, words, say

    def repository(self, name: str, entry: dict[str, Any]) -> dict[str, Any]:
        """All revisions of one data set."""
        self.say(f"data set {name}")
        configs = dict(expanded(entry))
        if entry.get("script"):
            script = name.rpartition("/")[2] + ".py"
            card = {"dataset_info": [{"config_name": c} for c in configs]}
            main: Files = {"README.md": _card(card), script: SCRIPT}
            converted = self._files(name, configs, entry, "{config}/{split}/0000.parquet", card=False)
            revisions = {"main": main, "refs/convert/parquet": converted}
        else:
            revisions = {"main": self._files(name, configs, entry, entry.get("path", ""), card=True)}
        kept = {r: revision(self.blobs, files) for r, files in revisions.items()}
        return {"revisions": kept, "card": {}, "assume": _assumptions(name, entry)}

    def _files(
        self,
        name: str,
        configs: dict[str, dict[str, Any]],
        entry: dict[str, Any],
        pattern: str,
        *,
        card: bool,
    ) -> Files:
        files: Files = {}
        listed, infos = [], []
        for title, config in configs.items():
            splits, places = [], []
            for split in config["splits"]:
                count = _split_rows(config, split)
                data = parquet(config, rows(self.words, config, split, count, f"{name}/{title}"))
                path = _path(pattern, title, split)
                files[path] = data
                splits.append({"name": split, "num_bytes": len(data), "num_examples": count})
                places.append({"split": split, "path": path.replace("00000-of-00001", "*")})
            default = {"default": True} if entry.get("default") == title else {}
            listed.append({"config_name": title, "data_files": places, **default})
            infos.append(_info(title, config, splits))
        if card:
            files["README.md"] = _card({"configs": listed, "dataset_info": infos})
        return files


def _path(pattern: str, config: str, split: str) -> str:
    folder = "data" if config == "default" else config
    return (pattern or folder + "/{split}-00000-of-00001.parquet").format(config=config, split=split)


def _info(title: str, config: dict[str, Any], splits: list[dict[str, Any]]) -> dict[str, Any]:
    size = sum(s["num_bytes"] for s in splits)
    features = [card_feature(name, kind) for name, _, kind in _columns(config)]
    sizes = {"download_size": size, "dataset_size": size}
    return {"config_name": title, "features": features, "splits": splits, **sizes}


def _card(front: dict[str, Any]) -> bytes:
    # JSON is YAML, which is what the front matter of a card has to be.
    text = json.dumps(front, ensure_ascii=False)
    return f"---\n{text}\n---\n\nMade-up rows; a stand-in for rehearsals.\n".encode()


def _assumptions(name: str, entry: dict[str, Any]) -> list[str]:
    notes = [f"{name}: {text}" for text in entry.get("assume", ())]
    if entry.get("gated"):
        notes.append(f"{name} is gated on the real hub; its terms are assumed to be accepted")
    return notes


def expanded(entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Config name -> config; a config may lean on `base`, and `like` may name many that share one."""
    base = entry.get("base", {})
    for title, config in entry["configs"].items():
        yield title, {**base, **config}
    for title in entry.get("like", ()):
        yield title, base
