import pytest

from small_algorithms.partitions import compositions, count_partitions
from small_algorithms.roman import from_roman
from small_algorithms.spread import deviation


@pytest.mark.parametrize(("number", "ways"), [(0, 1), (1, 1), (4, 5), (7, 15)])
def test_count_partitions(number, ways):
    assert count_partitions(number) == ways


def test_compositions_of_three():
    assert sorted(compositions(3)) == [[1, 1, 1], [1, 2], [2, 1]]


def test_compositions_of_nothing():
    assert compositions(0) == [[]]


@pytest.mark.parametrize(
    ("numeral", "number"), [("III", 3), ("VIII", 8), ("XIV", 14), ("XLIX", 49), ("MCMXCIV", 1994)]
)
def test_from_roman(numeral, number):
    assert from_roman(numeral) == number


def test_deviation_of_equal_numbers_is_zero():
    assert deviation([3, 3, 3]) == 0


def test_deviation():
    assert deviation([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2.0)
