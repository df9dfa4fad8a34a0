/* The same; the compiler must not add up several items at once, nor leave rounds out. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    int *items = malloc(10000 * sizeof *items);
    for (long i = 0; i < 10000; i++)
        items[i] = i % 100;
    long sum = 0;
    for (long j = 0; j < 100000; j++)
        for (long i = 0; i < 10000; i++) {
            sum += items[i];
            __asm__ volatile("" : "+r"(sum));
        }
    printf("%ld\n", sum);
    free(items);
    return 0;
}
