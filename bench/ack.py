# ack.pyl in Python.
import sys


def ack(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ack(m - 1, 1)
    return ack(m - 1, ack(m, n - 1))


def main(rounds, n, expected):
    sys.setrecursionlimit(10000)
    for round in range(rounds):
        assert ack(3, n) == expected
        print(round)


main(150, 6, 509)
