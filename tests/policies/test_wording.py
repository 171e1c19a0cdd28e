"""A quotation shows where it was cut."""

from __future__ import annotations

from policies.wording import clip, listed, visible


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert (clip("abcd", 4), clip("", 3)) == ("abcd", "")


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert (clip("abcde", 4), clip("abc de", 4)) == ("abcd…", "abc…")


def test_a_list_tells_how_many_are_left_out() -> None:
    assert (listed("abc", 3), listed("abcde", 3), listed("", 3)) == ("a, b, c", "a, b, c and 2 more", "")


def test_control_characters_are_spelled_out() -> None:
    assert visible("a\x08b\tü\ufeff→") == "a\\x08b\tü\\ufeff→"
