/* fib.pyl in C, with the overflow check of the sum. gcc -O2 turns part of the recursion into loops. */
#include <stdio.h>
#include <stdlib.h>

static long fib(long n) {
    if (n < 2)
        return n;
    long sum;
    if (__builtin_add_overflow(fib(n - 1), fib(n - 2), &sum)) {
        fprintf(stderr, "integer overflow\n");
        exit(1);
    }
    return sum;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: fib ROUNDS N EXPECTED\n");
        return 1;
    }
    long rounds = atol(argv[1]), n = atol(argv[2]), expected = atol(argv[3]);
    for (long round = 0; round < rounds; round++) {
        if (fib(n) != expected)
            return 1;
        printf("%ld\n", round);
    }
    return 0;
}
