"""Closed intervals of numbers."""


def merge(intervals):
    """The union as a sorted list of intervals that do not touch."""
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], min(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def total_length(intervals):
    """How much of the number line the intervals cover."""
    return sum(end - start for start, end in merge(intervals))
