"""Lines for people fit the terminal; lines of code are left alone."""

from __future__ import annotations

from agent.output import folded

LINE = "  some-check  blocking  fixes    It says what is wrong in a few words."


def test_what_fits_is_kept_as_it_is() -> None:
    assert folded(f"Title\n\n{LINE}\n", 80) == f"Title\n\n{LINE}\n"


def test_a_long_line_is_folded_between_words_and_moved_in() -> None:
    assert folded(f"Title\n{LINE}\n", 40) == (
        "Title\n  some-check  blocking  fixes    It says\n      what is wrong in a few words.\n"
    )


def test_code_is_not_folded() -> None:
    code = "````python\nx = 'a line of code that is longer'\n```\ny = '1 2 3 4 5 6 7 8 9 0 1 2'\n````\n"
    assert folded(f"{code}one two three four five six\n", 25) == (f"{code}one two three four five\n    six\n")


def test_no_line_is_folded_into_a_narrow_strip() -> None:
    assert folded(LINE, 20) == LINE
