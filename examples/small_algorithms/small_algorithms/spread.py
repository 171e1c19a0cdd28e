"""How far numbers lie apart."""


def deviation(numbers):
    """The population standard deviation."""
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))
