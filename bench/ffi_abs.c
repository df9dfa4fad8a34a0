/* ffi_abs.pyl in C, through a pointer that the compiler can't see through. */
#include <stdio.h>
#include <stdlib.h>

int (*volatile function)(int) = abs;

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: ffi_abs ROUNDS N EXPECTED\n");
        return 1;
    }
    long rounds = atol(argv[1]), n = atol(argv[2]), expected = atol(argv[3]);
    int (*call)(int) = function;
    for (long round = 0; round < rounds; round++) {
        long sum = 0;
        for (long i = 0; i < n; i++)
            sum += call((int)(i - 1000));
        if (sum != expected)
            return 1;
        printf("%ld\n", round);
    }
    return 0;
}
