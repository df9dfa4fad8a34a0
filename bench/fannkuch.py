# fannkuch.pyl in Python.
def checksum(n):
    permutation = list(range(n))
    counts = list(range(n))
    sum = 0
    even = True
    while True:
        # The flips of this permutation.
        first = permutation[0]
        if first != 0:
            flipped = permutation[:]
            flips = 0
            while first != 0:
                low = 1
                high = first - 1
                while low < high:
                    flipped[low], flipped[high] = flipped[high], flipped[low]
                    low += 1
                    high -= 1
                next = flipped[first]
                flipped[first] = first
                first = next
                flips += 1
            if even:
                sum += flips
            else:
                sum -= flips
        # The next permutation, by rotations of ever longer beginnings.
        if even:
            permutation[0], permutation[1] = permutation[1], permutation[0]
            even = False
        else:
            permutation[1], permutation[2] = permutation[2], permutation[1]
            even = True
            length = 2
            while counts[length] == 0:
                counts[length] = length
                length += 1
                if length == n:
                    return sum
                pancake = permutation[0]
                for i in range(length):
                    permutation[i] = permutation[i + 1]
                permutation[length] = pancake
            counts[length] -= 1


def main(rounds, n, expected):
    for round in range(rounds):
        assert checksum(n) == expected
        print(round)


main(150, 8, 1616)
