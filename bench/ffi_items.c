/* ffi_items.pyl in C; the compiler must not add up several items at once. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: ffi_items ROUNDS TIMES COUNT EXPECTED\n");
        return 1;
    }
    long rounds = atol(argv[1]), times = atol(argv[2]), count = atol(argv[3]), expected = atol(argv[4]);
    int *items = malloc(count * sizeof *items);
    for (long i = 0; i < count; i++)
        items[i] = i % 100;
    for (long round = 0; round < rounds; round++) {
        for (long time = 0; time < times; time++) {
            long sum = 0;
            for (long i = 0; i < count; i++) {
                sum += items[i];
                __asm__ volatile("" : "+r"(sum));
            }
            if (sum != expected)
                return 1;
        }
        printf("%ld\n", round);
    }
    free(items);
    return 0;
}
