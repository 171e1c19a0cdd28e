"""Finds `@hydra.main` in a bundle's sources, without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.hydra.entry import main_names
from policies.parsed import Module, parse_module
from policies.records import Bundle

PARAMETERS = ("config_path", "config_name", "version_base")


@dataclass(frozen=True)
class HydraMain:
    """One decorated function."""

    path: str
    line: int
    """Of the decorator."""
    function: str
    arguments: dict[str, str]
    """Parameter -> source text of the expression given for it."""
    constants: tuple[str, ...]
    """Source of the module-level assignments that such an expression may name, in order."""
    registers_configs: bool
    """Whether the module puts configs into Hydra's store, which only running it does."""

    @property
    def config_name(self) -> str:
        """The primary config's name, when it is a plain string; else empty."""
        return self.text_of("config_name")

    @property
    def config_dir(self) -> str:
        """The config folder relative to the bundle's root, when it is a plain relative path; else empty."""
        value = self.text_of("config_path")
        if value.startswith(("/", "pkg:")):
            return ""
        parts = self.path.split("/")[:-1]
        for part in value.split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in ("", ".", ".."):
                parts.append(part)
        return "/".join(parts)

    def text_of(self, parameter: str) -> str:
        """The value of an argument that is a string constant; else empty."""
        try:
            value = ast.literal_eval(self.arguments.get(parameter, "None"))
        except (ValueError, TypeError):
            return ""
        return value if isinstance(value, str) else ""


def hydra_mains(bundle: Bundle) -> tuple[HydraMain, ...]:
    """Every `@hydra.main` of the bundle's modules, in path and line order."""
    modules = (
        parse_module(path, text) for path, text in sorted(bundle.files.items()) if path.endswith(".py")
    )
    return tuple(found for module in modules if module.tree for found in mains_of(module))


def mains_of(module: Module) -> Iterator[HydraMain]:
    """The decorated functions of one module."""
    assert module.tree is not None
    names = main_names(module)
    constants = tuple(
        ast.unparse(node)
        for node in module.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    )
    registers = any(isinstance(n, ast.Name | ast.alias) and name_of(n) == "ConfigStore" for n in module.nodes)
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and ast.unparse(call.func) in names:
                    yield HydraMain(
                        module.path, call.lineno, node.name, arguments_of(call), constants, registers
                    )


def arguments_of(call: ast.Call) -> dict[str, str]:
    """Source of the decorator's arguments, by parameter."""
    given = {name: ast.unparse(value) for name, value in zip(PARAMETERS, call.args, strict=False)}
    return given | {k.arg: ast.unparse(k.value) for k in call.keywords if k.arg in PARAMETERS}


def name_of(node: ast.Name | ast.alias) -> str:
    """The identifier that a node holds."""
    return node.id if isinstance(node, ast.Name) else node.name
