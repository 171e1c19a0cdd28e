import pytest

from small_algorithms.intervals import merge, total_length
from small_algorithms.runs import longest_run
from small_algorithms.tally import most_common, tally


@pytest.mark.parametrize(
    ("values", "length"),
    [([], 0), ([4], 1), ([1, 1, 2], 2), ([3, 5, 5], 2), ([1, 2, 2, 2], 3), ([7, 7, 7, 7], 4)],
)
def test_longest_run(values, length):
    assert longest_run(values) == length


def test_merge_joins_what_touches():
    assert merge([(5, 8), (1, 3), (3, 4)]) == [(1, 4), (5, 8)]


def test_merge_keeps_the_outer_interval():
    assert merge([(0, 10), (2, 3)]) == [(0, 10)]


def test_total_length_counts_nothing_twice():
    assert total_length([(0, 4), (2, 6), (8, 9)]) == 7


def test_tally_ignores_case():
    assert tally(["Oak", "elm", "oak"]) == {"oak": 2, "elm": 1}


def test_tally_starts_anew_each_time():
    tally(["ash"])
    assert tally(["ash"]) == {"ash": 1}


def test_tally_adds_to_given_counts():
    assert tally(["ash"], {"ash": 2}) == {"ash": 3}


def test_most_common_breaks_ties_by_alphabet():
    assert most_common(["yew", "fir", "yew", "fir"]) == "fir"
