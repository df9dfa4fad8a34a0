# queens.pyl in Python.
def solutions(size):
    columns = [True] * size
    rising = [True] * (2 * size)
    falling = [True] * (2 * size)

    def place(row):
        if row == size:
            return 1
        found = 0
        for column in range(size):
            up = row + column
            down = row - column + size
            if columns[column] and rising[up] and falling[down]:
                columns[column] = rising[up] = falling[down] = False
                found += place(row + 1)
                columns[column] = rising[up] = falling[down] = True
        return found

    return place(0)


def main(rounds, size, expected):
    for round in range(rounds):
        assert solutions(size) == expected
        print(round)


main(300, 9, 352)
