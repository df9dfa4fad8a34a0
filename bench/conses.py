# conses.pyl in Python.
def upto(n):
    list = None
    while n > 0:
        list = (n, list)
        n -= 1
    return list


def reverse(list):
    result = None
    while list is not None:
        result = (list[0], result)
        list = list[1]
    return result


def map(function, list):
    result = None
    while list is not None:
        result = (function(list[0]), result)
        list = list[1]
    return reverse(result)


def filter(wanted, list):
    result = None
    while list is not None:
        if wanted(list[0]):
            result = (list[0], result)
        list = list[1]
    return reverse(result)


def both(function, one, two):
    result = None
    while one is not None and two is not None:
        result = (function(one[0], two[0]), result)
        one = one[1]
        two = two[1]
    return reverse(result)


def sum(list):
    result = 0
    while list is not None:
        result += list[0]
        list = list[1]
    return result


def square(x):
    return x * x % 1009


def odd(x):
    return x % 2 == 1


def difference(x, y):
    return max(x, y) - min(x, y)


def work(n):
    squares = filter(odd, map(square, upto(n)))
    return sum(both(difference, squares, reverse(squares)))


def main(rounds, n, expected):
    for round in range(rounds):
        assert work(n) == expected
        print(round)


main(300, 40000, 6692008)
