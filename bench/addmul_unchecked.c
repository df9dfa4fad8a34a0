/* addmul_loop.pyl in C without overflow checks: the limit of what hoisting every check could give.
 * The empty asm statement keeps gcc from removing the loop altogether. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void addmul(long outer, long inner) {
    long j = 0, k = 0;
    while (j < outer) {
        k = 0;
        while (k < inner) {
            long sum = k + j * k;
            __asm__ volatile("" : : "r"(sum));
            k += 1;
        }
        j += 1;
    }
    printf("%ld %ld\n", j, k);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: addmul_unchecked OUTER INNER\n");
        return 1;
    }
    addmul(atol(argv[1]), atol(argv[2]));
    return 0;
}
