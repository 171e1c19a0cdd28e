"""Text that could harm a terminal, made safe."""

from __future__ import annotations

from tools.plain_text import one_line, visible


def test_controls_are_escaped_and_the_rest_stays() -> None:
    assert visible("a\tb\nü漢🙂 <x>") == "a\tb\nü漢🙂 <x>"
    assert visible("\x1b[2J\r\x00\x9b\u202e\u200b\u2028\ud800\U000e0001") == (
        "\\x1b[2J\\x0d\\x00\\x9b\\u202e\\u200b\\u2028\\ud800\\U000e0001"
    )


def test_one_line_folds_and_cuts() -> None:
    assert one_line(" a\n\n b\tc ") == "a b c"
    assert (one_line("abcdef", limit=6), one_line("abc def", limit=5)) == ("abcdef", "abc…")
