# sieve.pyl in Python.
def primes_below(limit):
    is_prime = [False, False]
    while len(is_prime) < limit:
        is_prime.append(True)
    count = 0
    for i in range(2, limit):
        if is_prime[i]:
            count += 1
            for multiple in range(i + i, limit, i):
                is_prime[multiple] = False
    return count


def main(rounds, limit, expected):
    for round in range(rounds):
        assert primes_below(limit) == expected
        print(round)


main(500, 100000, 9592)
