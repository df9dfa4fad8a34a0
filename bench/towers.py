# towers.pyl in Python.
class Disk:
    def __init__(self, size):
        self.size = size
        self.below = None


def push(piles, pile, disk):
    top = piles[pile]
    assert top is None or disk.size < top.size
    disk.below = top
    piles[pile] = disk


def pop(piles, pile):
    top = piles[pile]
    piles[pile] = top.below
    top.below = None
    return top


def move(piles, disks, source, target):
    if disks == 1:
        push(piles, target, pop(piles, source))
        return 1
    other = 3 - source - target
    moves = move(piles, disks - 1, source, other)
    moves += move(piles, 1, source, target)
    return moves + move(piles, disks - 1, other, target)


def work(disks):
    piles = [None, None, None]
    for size in range(disks, 0, -1):
        push(piles, 0, Disk(size))
    return move(piles, disks, 0, 1)


def main(rounds, disks, expected):
    for round in range(rounds):
        assert work(disks) == expected
        print(round)


main(150, 15, 32767)
