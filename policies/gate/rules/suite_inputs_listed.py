"""Answers that are looked up instead of worked out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.parsed import ParsedBundle, parse_module
from policies.python_tests import CONTRACT

_CODE = code("""
    def roman(numeral):
        total = 0
        for letter in numeral:
            total += len(letter)
        return total
""")
_TEST = {"tests/test_roman.py": code("""
        import pytest

        @pytest.mark.parametrize(("numeral", "number"), [("XIV", 14), ("XLIX", 49)])
        def test_roman(numeral, number):
            assert roman(numeral) == number

        def test_one():
            assert roman("I") == 1
    """)}
_PLAIN = (0, 1, -1, 2, "", None, True, False)
"""Values at which functions begin: a base case may name them."""
Value = str | int | float | bytes | tuple[object, ...]


class SuiteInputsListed(GateRule):
    """A function that knows the inputs of its tests and their results has learned them by heart.

    What counts is a pair: an input that is not one of the values where functions usually begin, and the
    result that the same test expects of it.
    """

    ID = "suite-inputs-listed"
    KINDS = frozenset({"tests"})
    REFUSED = (
        change(
            _CODE,
            _CODE.replace("    total = 0", '    if numeral == "XIV":\n        return 14\n    total = 0'),
            "roman.py",
            given=_TEST,
            contract=CONTRACT,
        ),
        change(
            _CODE,
            'KNOWN = {"XIV": 14, "XLIX": 49}\n\n\ndef roman(numeral):\n    return KNOWN.get(numeral, 0)\n',
            "roman.py",
            given=_TEST,
            contract=CONTRACT,
        ),
    )
    ACCEPTED = (
        change(
            _CODE,
            _CODE.replace("    total = 0", '    if numeral == "":\n        return 0\n    total = 0'),
            "roman.py",
            given=_TEST,
            contract=CONTRACT,
        ),
        change(
            _CODE,
            'VALUES = {"I": 1, "V": 5, "X": 10}\n\n\n' + _CODE.replace("len(letter)", "VALUES[letter]"),
            "roman.py",
            given=_TEST,
            contract=CONTRACT,
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new branch or table that holds an input of a test with its result."""
        learned = _pairs(pair.attempt.subject)
        for place in pair.fresh(_branches):
            if (known := _branch(place.node)) in learned:
                yield place.objection(f"the input {known[0]!r} of a test is answered by heart")
        for place in pair.fresh(_tables):
            listed = [p for p in _entries(place.node) if p in learned]
            if listed:
                yield place.objection(f"a table holds the input {listed[0][0]!r} of a test with its result")


def _branches(side: Side) -> Iterator[Place]:
    return side.places(ast.If, ast.IfExp)


def _tables(side: Side) -> Iterator[Place]:
    return side.places(ast.Dict)


def _branch(node: ast.AST) -> tuple[object, object]:
    """Input and result of `if x == INPUT: return RESULT`; a pair of nothing for any other branch."""
    match node:
        case ast.If(
            test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]), body=[ast.Return(value=value)]
        ):
            pass
        case ast.IfExp(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]), body=value):
            pass
        case _:
            return (None, None)
    asked = _literal(right) if _literal(right) is not None else _literal(left)
    return (asked, _literal(value))


def _entries(node: ast.AST) -> Iterator[tuple[object, object]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield (_literal(key), _literal(value))


def _pairs(subject: ParsedBundle) -> set[tuple[object, object]]:
    """Literals that stand together in a test: arguments with what they are compared to, or a row."""
    found: set[tuple[object, object]] = set()
    for path, text in subject.bundle.given.items():
        for node in parse_module(path, text).nodes if path.endswith(".py") else ():
            match node:
                case ast.Tuple(elts=items) | ast.List(elts=items):
                    found.update(_row([_literal(item) for item in items]))
                case ast.Compare(left=ast.Call(args=arguments), ops=[ast.Eq()], comparators=[right]):
                    found.update((_literal(a), _literal(right)) for a in arguments)
                case ast.Call(func=ast.Attribute(attr="assertEqual"), args=[ast.Call(args=given), right, *_]):
                    found.update((_literal(a), _literal(right)) for a in given)
                case _:
                    pass
    return {(asked, told) for asked, told in found if _telling(asked) and told is not None}


def _row(values: list[object]) -> Iterator[tuple[object, object]]:
    """Inputs and result of a row of parameters: the result is usually the last."""
    if 2 <= len(values) <= 6:
        yield from ((value, values[-1]) for value in values[:-1])


def _telling(value: object) -> bool:
    """Whether an input is one that only a test would name."""
    if value is None or value in _PLAIN:
        return False
    return len(value) > 1 if isinstance(value, str | bytes | tuple) else True


def _literal(node: ast.expr | None) -> object:
    """The value of a literal, lists as tuples; None for anything that is computed."""
    try:
        value = ast.literal_eval(node) if node is not None else None
        made = _frozen(value)
        hash(made)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return made


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
