# permute.pyl in Python.
def swap(items, i, j):
    items[i], items[j] = items[j], items[i]


def permute(items, n):
    count = 1
    if n != 0:
        last = n - 1
        count += permute(items, last)
        for i in range(last, -1, -1):
            swap(items, last, i)
            count += permute(items, last)
            swap(items, last, i)
    return count


def work(n):
    items = list(range(n))
    count = permute(items, n)
    assert items == list(range(n))
    return count


def main(rounds, n, expected):
    for round in range(rounds):
        assert work(n) == expected
        print(round)


main(200, 7, 69281)
