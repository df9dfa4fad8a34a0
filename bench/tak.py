# tak.pyl in Python.
def tak(x, y, z):
    if y >= x:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


def main(rounds, n, expected):
    for round in range(rounds):
        assert tak(3 * n, 2 * n, n) == expected
        print(round)


main(400, 6, 7)
