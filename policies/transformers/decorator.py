"""Codemod: set keyword arguments of a `@hydra.main` decorator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst


class SetDecoratorArguments(cst.CSTTransformer):
    """Give the Hydra decorator of `function` these keyword arguments, name -> code; others stay, in order."""

    def __init__(self, function: str, values: Mapping[str, str]) -> None:
        super().__init__()
        self.function = function
        self.values = {name: cst.parse_expression(code) for name, code in values.items()}

    def leave_FunctionDef(self, original: cst.FunctionDef, updated: cst.FunctionDef) -> cst.FunctionDef:
        """Rewrite the decorator whose name ends in `main`."""
        if original.name.value != self.function:
            return updated
        return updated.with_changes(decorators=[self._rewritten(d) for d in updated.decorators])

    def _rewritten(self, decorator: cst.Decorator) -> cst.Decorator:
        node = decorator.decorator
        call = node if isinstance(node, cst.Call) else cst.Call(func=node)
        name = (
            call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
        )
        if name != "main":
            return decorator
        return decorator.with_changes(decorator=call.with_changes(args=self._arguments(call.args)))

    def _arguments(self, existing: Sequence[cst.Arg]) -> list[cst.Arg]:
        kept: list[cst.Arg] = []
        todo = dict(self.values)
        positional = iter(("config_path", "config_name", "version_base"))
        for argument in existing:
            name = argument.keyword.value if argument.keyword else next(positional, "")
            value = todo.pop(name, None)
            kept.append(argument if value is None else argument.with_changes(value=value))
        tight = cst.AssignEqual(
            whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
        )
        return kept + [cst.Arg(value, cst.Name(name), equal=tight) for name, value in todo.items()]
