"""Hypothesis strategies for what a bundle may hold: code, configs, project tables, rejections, any text."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import tomlkit
from hypothesis import strategies as st
from ruamel.yaml import YAML

NAMES = ("cfg", "self", "model", "batch", "wandb", "torch", "trial", "x", "os", "run", "loader", "main", "_")
ATTRIBUTES: tuple[str, ...] = (
    "training",
    "lr",
    "name",
    "run",
    "log",
    "summary",
    "loss",
    "labels",
    "config",
    "suggest_float",
)
ATTRIBUTES += ("from_pretrained", "get", "items", "update", "to", "forward", "__class__", "mode", "step")
_LITERALS = (
    "None",
    "True",
    "0",
    "-1",
    "1e400",
    "''",
    "'a.b'",
    "b'x'",
    "...",
    "[]",
    "{}",
    "()",
    "1j",
    "'run'",
)
_EXPRESSIONS = (
    "{a}.{n}",
    "{a}({b})",
    "{a}({b}, *{a}, {n}={b}, **{a})",
    "{a}.{n}({b}, {n}='{n}')",
    "{a}[{b}]",
    "{a}['{n}']",
    "{a}[{b}:, ..., ::-1]",
    "not {a}",
    "-{a}",
    "~{a}",
    "({a} if {b} else {a})",
    "({a} + {b})",
    "({a} % {b})",
    "({a} or {b})",
    "({a} == {b} != {a})",
    "({a} in {b})",
    "[{a}, *{b}]",
    "{{{a}: {b}, **{a}}}",
    "{{[1]: {a}}}",
    "{{{a}, {b}}}",
    "({a},)",
    "[{a} for {v} in {b} if {a}]",
    "{{{a}: {b} for {v}, *_ in {a}}}",
    "(lambda {v}, *a, k={a}, **o: {b})",
    "({v} := {a})",
    "f'{{{a}!r:>{{{b}}}}}{n}'",
    "'{n}' f'{{{a}}}'",
    "(yield {a})",
    "(await {a})",
    "getattr({a}, '{n}', {b})",
    "torch.tensor({a})",
    "AutoModel.from_pretrained({a}, {n}={b})",
    "load_dataset({a}, {b}, split='{n}')",
    "wandb.init(mode={a}, config={b})",
    "OmegaConf.merge({a}, {b})",
    "parser.add_argument('--{n}', type={a})",
    "subprocess.run([{a}, '-m', 'src.train', f'run={{{b}}}'])",
)
_SIMPLE = (
    "{a}",
    "{v} = {a}",
    "{v}.{n} = {a}",
    "{v}['{n}'] = {a}",
    "{v}, *rest = {a}",
    "{v} += {a}",
    "{v}: {n} = {a}",
    "del {v}",
    "return {a}",
    "raise {a} from {b}",
    "assert {a}, {b}",
    "import {v}.{n} as {v}",
    "from {v} import {n} as {v}",
    "from . import {n}",
    "from .{v} import *",
    "global {v}",
    "pass",
    "break",
    "wandb.log({{'{n}': {a}, **{b}}})",
    "{a}.backward()",
    "optimizer.step()",
    "{v} = optuna.create_study(direction={a})",
)
_BLOCKS = (
    "if {a}:",
    "while {a}:",
    "for {v} in {a}:",
    "for i, ({v}, *_) in enumerate({a}):",
    "with {a} as {v}, {b}:",
    "with torch.no_grad():",
    "def {v}({v}, /, cfg={a}, *args, k: {b}, **kw) -> {a}:",
    "async def main():",
    "@hydra.main(config_path={a}, config_name='{n}')\ndef main(cfg):",
    "@{a}\nclass {v}({b}, metaclass={a}):",
    "class Net(torch.nn.Module):",
    "def forward(self, {v}):",
    "try:\n    pass\nexcept {a} as {v}:",
    "try:\n    {v} = {a}\nfinally:",
    "match {a}:\n  case {{'{n}': {v}, **o}} | [*_, {v}] if {b}:",
    "if __name__ == '__main__':",
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """One expression, of odd but valid grammar."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from((*NAMES, *_LITERALS)))
    return draw(_filled(st.sampled_from(_EXPRESSIONS), depth - 1))


@st.composite
def _filled(draw: st.DrawFn, templates: st.SearchStrategy[str], depth: int) -> str:
    """A template whose holes are filled: expressions, a name that may be bound, an attribute."""
    return draw(templates).format(
        a=draw(expressions(depth)),
        b=draw(expressions(depth)),
        v=draw(st.sampled_from(NAMES)),
        n=draw(st.sampled_from(ATTRIBUTES)),
    )


@st.composite
def _statements(draw: st.DrawFn, depth: int) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(_filled(st.sampled_from(_SIMPLE), 2))
    head = draw(_filled(st.sampled_from(_BLOCKS), 1))
    pad = "    " if "\n  case" not in head else "        "
    return f"{head}\n{textwrap.indent(draw(code(depth - 1, 3)), pad)}"


@st.composite
def code(draw: st.DrawFn, depth: int = 3, most: int = 6) -> str:
    """A module whose words are those of the field."""
    return "\n".join(draw(st.lists(_statements(depth), min_size=1, max_size=most)))


_WORDS = st.sampled_from((*ATTRIBUTES, "defaults", "hydra", "optuna", "search_space", "_self_", "model.name"))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.sampled_from(
        ("${a.b}", "${run}", "???", "1e-4", "low", "loguniform", "gpt2", "torch>=2", "~=", "../x")
    ),
    st.text(max_size=8),
)
_KEYS = st.one_of(_WORDS, st.integers(), st.none(), st.booleans(), st.text(max_size=4))


def _trees(keys: st.SearchStrategy[Any], scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


def _yaml(data: object) -> str:
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(data, out)
    return out.getvalue()


def configs() -> st.SearchStrategy[str]:
    """YAML that parses: mostly mappings, with the keys of an experiment."""
    return st.dictionaries(_KEYS, _trees(_KEYS, _SCALARS), max_size=6).map(_yaml)


_TABLES = """
project name version dependencies optional-dependencies build-system requires tool build-backend poetry
requires-python scripts packages uv pytest python torch
"""
_TABLE_KEYS = st.sampled_from(_TABLES.split())
_TABLE_VALUES = st.one_of(
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(
        ("torch", "torch>=2", "torch ==", "^3.8", "@@", "x @ file:///y", "hatchling.build", "src", "")
    ),
    st.text("ab[]>=~;'\" é", max_size=6),
)


def project_tables() -> st.SearchStrategy[str]:
    """TOML that parses, with the tables of a `pyproject.toml`."""
    values = _trees(_TABLE_KEYS, _TABLE_VALUES)
    return st.dictionaries(_TABLE_KEYS, values, max_size=5).map(tomlkit.dumps)


_PROSE = """
src/train.py `model.py` config.yaml `cfg.model.name` `wandb.log` metric_x evaluate.py: is never used missing
not defined and but because the a model key does raises KeyError should be ( ) ` “ . ; , : -> => however
primary figure *.pdf \\u003e "x" line 3 forbids all else fine imports x.y() trial mode
"""
_BREAKS = ("\n", "\n- ", "\n2) ", "\n   a) ", "(see above)")


def rejections() -> st.SearchStrategy[str]:
    """Prose of the words that reviewers use, in any order, and any text."""
    return st.lists(st.sampled_from([*_PROSE.split(), *_BREAKS]), max_size=40).map(" ".join) | st.text(
        max_size=200
    )
