# generators.pyl in Python.
def upto(n):
    i = 0
    while i < n:
        yield i
        i += 1


def mapped(function, source):
    for item in source:
        yield function(item)


def filtered(wanted, source):
    for item in source:
        if wanted(item):
            yield item


def paired(source):
    last = 0
    for item in source:
        yield last + item
        last = item


def square(x):
    return x * x % 1009


def odd(x):
    return x % 2 == 1


def work(n):
    sum = 0
    for item in paired(filtered(odd, mapped(square, upto(n)))):
        sum += item
    return sum


def main(rounds, n, expected):
    for round in range(rounds):
        assert work(n) == expected
        print(round)


main(500, 30000, 15563267)
