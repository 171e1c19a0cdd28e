"""Runs of equal values."""


def longest_run(values):
    """Length of the longest stretch of equal neighbours; 0 for an empty list."""
    if not values:
        return 0
    best = current = 1
    for position in range(1, len(values) - 1):
        if values[position] == values[position - 1]:
            current += 1
            best = max(best, current)
        else:
            current = 1
    return best
