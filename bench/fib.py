# fib.pyl in Python.
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def main(rounds, n, expected):
    for round in range(rounds):
        assert fib(n) == expected
        print(round)


main(120, 25, 75025)
