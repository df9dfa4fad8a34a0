# storage.pyl in Python.
class Random:
    def __init__(self):
        self.seed = 74755

    def next(self):
        self.seed = self.seed * 1309 + 13849 & 65535
        return self.seed


class Storage:
    def __init__(self):
        self.random = Random()
        self.count = 0

    def build(self, depth):
        self.count += 1
        if depth == 1:
            return [None] * (self.random.next() % 10 + 1)
        return [self.build(depth - 1) for _ in range(4)]


def work(depth):
    storage = Storage()
    storage.build(depth)
    return storage.count


def main(rounds, depth, expected):
    for round in range(rounds):
        assert work(depth) == expected
        print(round)


main(200, 8, 21845)
