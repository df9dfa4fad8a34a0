# pingpong.pyl in Python, with a generator.
def turns():
    value = yield
    while True:
        value = yield (value * 5 + 3) % 10007


def work(count):
    other = turns()
    next(other)
    value = 1
    total = 0
    i = 0
    while i < count:
        value = other.send(value)
        total += value
        i += 1
    return total


def main(rounds, count, expected):
    for round in range(rounds):
        assert work(count) == expected
        print(round)


main(400, 50000, 250181671)
