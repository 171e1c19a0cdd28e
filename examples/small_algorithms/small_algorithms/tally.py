"""Counting words."""


def tally(words, counts={}):
    """How often each word occurs, added to `counts` when some are given."""
    for word in words:
        counts[word.lower()] = counts.get(word.lower(), 0) + 1
    return counts


def most_common(words):
    """The word that occurs most often, the first in the alphabet among equals."""
    counts = tally(words)
    return min(counts, key=lambda word: (-counts[word], word))
