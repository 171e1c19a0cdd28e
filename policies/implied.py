"""What a bundle needs installed without importing it: backends of calls, tokenizers, metrics, plug-ins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.imported import is_optional, qualified, qualified_names
from policies.parsed import Module, ParsedBundle
from policies.tables import table


@dataclass(frozen=True)
class Need:
    """A distribution that must be installed although nothing imports it."""

    file: str
    line: int
    distribution: str
    why: str


def needs(subject: ParsedBundle) -> Iterator[Need]:
    """What calls, arguments, model names and Hydra plug-ins need installed, in no special order."""
    for module in subject.parsable:
        names = qualified_names(module)
        for node in module.nodes:
            if isinstance(node, ast.Call):
                yield from _call_needs(module, node, names)
            elif isinstance(node, ast.Import | ast.ImportFrom) and not is_optional(module, node):
                yield from _import_needs(module, node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 100:
                yield from _model_needs(module.path, node.lineno, node.value)
    for path, text in (*subject.bundle.files.items(), *subject.bundle.run_configs.items()):
        if path.endswith((".yaml", ".yml")):
            yield from _config_needs(path, text)


def _call_needs(module: Module, node: ast.Call, names: Mapping[str, str]) -> Iterator[Need]:
    implied = table("implied")
    name = qualified(node.func, names)
    method = node.func.attr if isinstance(node.func, ast.Attribute) else name
    for called, needed in implied["calls"].items():
        if name == called or name.startswith(called + "."):
            yield from _all(module.path, node.lineno, needed, f"`{called}`")
    if name in {"evaluate.load", "datasets.load_metric"} and node.args:
        metric = ast.unparse(node.args[0]).strip("\"'")
        needed = implied["metrics"].get(metric, ())
        yield from _all(module.path, node.lineno, needed, f"the metric `{metric}`")
    if method in implied["methods"] and "pandas" in names.values():
        yield from _all(module.path, node.lineno, implied["methods"][method], f"pandas' `{method}`")
    if method == "write_image" and any(name.startswith("plotly") for name in names.values()):
        yield Need(module.path, node.lineno, "kaleido", "plotly's `write_image`")
    if method == "from_pretrained" or name == "transformers.pipeline":
        yield from _argument_needs(module, node)


def _argument_needs(module: Module, node: ast.Call) -> Iterator[Need]:
    for keyword in node.keywords:
        off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
        needed = table("implied")["arguments"].get(keyword.arg, ())
        if not off:
            yield from _all(module.path, keyword.value.lineno, needed, f"the argument `{keyword.arg}`")


def _import_needs(module: Module, node: ast.Import | ast.ImportFrom) -> Iterator[Need]:
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    else:
        dotted = [f"{node.module}.{alias.name}" for alias in node.names]
    for name, needed in table("implied")["imports"].items():
        # `optuna.visualization.matplotlib` is the part that does without the backend.
        if any(f"{d}.".startswith(f"{name}.") and ".matplotlib" not in d for d in dotted):
            yield from _all(module.path, node.lineno, needed, f"`{name}`")


def _model_needs(path: str, line: int, value: str) -> Iterator[Need]:
    for pattern, needed in table("implied")["models"].items():
        if re.search(pattern, value) and re.fullmatch(r"[\w.-]+(/[\w.-]+)?", value):
            yield from _all(path, line, needed, f"the tokenizer of `{value}`")


def _config_needs(path: str, text: str) -> Iterator[Need]:
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.partition(" #")[0].strip()
        value = code.partition(":")[2].strip().strip("\"'")
        yield from _model_needs(path, number, value)
        plug_in = code.removeprefix("- ").removeprefix("override ").replace('"', "")
        for stated, needed in table("implied")["hydra"].items():
            if plug_in.replace(" ", "") == stated.replace(" ", ""):
                yield from _all(path, number, needed, f"`{stated}`")


def _all(path: str, line: int, needed: list[str] | tuple[str, ...], why: str) -> Iterator[Need]:
    return (Need(path, line, name, why) for name in needed)
