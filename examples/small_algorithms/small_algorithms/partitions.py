"""Partitions of whole numbers."""


def count_partitions(number, largest=None):
    """In how many ways `number` is a sum of positive whole numbers, none above `largest`."""
    if largest is None:
        largest = number
    if number < 0:
        return 0
    if largest == 0:
        return 1 if number == 0 else 0
    return count_partitions(number - largest, largest) + count_partitions(number, largest - 1)


def compositions(number):
    """Every ordered way to write `number` as a sum of ones and twos."""
    if number < 0:
        return []
    endings = ((1, compositions(number - 1)), (2, compositions(number - 2)))
    return [[*front, last] for last, fronts in endings for front in fronts]
