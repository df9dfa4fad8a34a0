# list.pyl in Python.
class Element:
    def __init__(self, value, next):
        self.value = value
        self.next = next


def make(length):
    if length == 0:
        return None
    return Element(length, make(length - 1))


def length(list):
    if list is None:
        return 0
    return 1 + length(list.next)


def shorter(x, y):
    while y is not None:
        if x is None:
            return True
        x = x.next
        y = y.next
    return False


def tail(x, y, z):
    if shorter(y, x):
        return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y))
    return z


def main(rounds, n, expected):
    for round in range(rounds):
        assert length(tail(make(3 * n), make(2 * n), make(n))) == expected
        print(round)


main(150, 6, 7)
