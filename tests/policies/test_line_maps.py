"""Which lines stayed."""

from __future__ import annotations

from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from policies.line_maps import line_map, nearest, unchanged

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12).map("\n".join)


def test_lines_are_found_where_they_went() -> None:
    old, new = "a\nb\nc\nd\n", "x\na\nb\nd\n"
    assert dict(line_map(old, new)) == {1: 2, 2: 3, 4: 4}
    assert (unchanged(old, new, 1, 2), unchanged(old, new, 2, 4), unchanged(old, new, 3, 3)) == (2, 0, 0)
    assert (nearest(old, new, 3), nearest("q\nr", "x\ny", 2)) == (3, 1)


def test_a_file_that_is_all_other_is_cheap() -> None:
    old, new = ("\n".join(f"{mark} {n}" for n in range(60_000)) for mark in "ab")
    start = perf_counter()
    assert dict(line_map(old, new)) == {}
    assert perf_counter() - start < 1.0


@given(LINES, LINES)
def test_a_map_is_of_equal_lines_in_order(old: str, new: str) -> None:
    kept = line_map(old, new)
    a, b = old.removesuffix("\n").split("\n"), new.removesuffix("\n").split("\n")
    assert all(a[x - 1] == b[y - 1] for x, y in kept.items())
    assert sorted(kept.values()) == [kept[x] for x in sorted(kept)]
    assert len(set(kept.values())) == len(kept)
    assert dict(line_map(old, old)) == {n: n for n in range(1, len(a) + 1)}
