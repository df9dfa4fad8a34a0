# trees.pyl in Python.
def make(depth):
    if depth == 0:
        return (None, None)
    return (make(depth - 1), make(depth - 1))


def count(tree):
    left, right = tree
    if left is None:
        return 1
    return 1 + count(left) + count(right)


def short_lived(most):
    nodes = 0
    for depth in range(4, most + 1, 4):
        for _ in range(1 << (most - depth)):
            nodes += count(make(depth))
    return nodes


def main(rounds, most, expected):
    long_lived = make(most)
    for round in range(rounds):
        assert short_lived(most) == expected
        print(round)
    assert count(long_lived) == (2 << most) - 1


main(300, 14, 97212)
