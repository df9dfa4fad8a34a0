# One loop that is used with many functions, and with ints and floats: what a library's loops are like.
# `cargo xtask bench` replaces the counts to get a shorter run.
def fold(function, items, start):
    result = start
    for item in items:
        result = function(result, item)
    return result


def add(a, b):
    return a + b


def less(a, b):
    return a - b


def most(a, b):
    if a < b:
        return b
    return a


def least(a, b):
    if b < a:
        return b
    return a


def mixed(a, b):
    return a * 3 + b & 65535


def either(a, b):
    return a | b


def evens(a, b):
    return a + b % 2


def squares(a, b):
    return a + b * b & 1048575


def work(ints, floats):
    total = 0
    for function in [add, less, most, least, mixed, either, evens, squares]:
        total += fold(function, ints, 1)
    for function in [add, less, most, least]:
        total += int(fold(function, floats, 0.5))
    return total


def main(rounds, n, expected):
    ints = list(range(n))
    floats = [item + 0.25 for item in ints]
    for round in range(rounds):
        assert work(ints, floats) == expected
        print(round)


main(2500, 2000, 280555)
