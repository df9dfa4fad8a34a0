/* addmul_loop.pyl in C, with the overflow checks that a language with checked integers makes.
 *
 * gcc proves such checks away where it can, which would compare a loop that checks with one that does
 * not. So the bounds come from argv, the sum passes through an empty asm statement (its sign is
 * unknown afterwards, so the assertion stays), and `cargo xtask bench` looks for the overflow jumps
 * in the disassembly. `k + 1` can't overflow below a bound of its own type; gcc knows it. */
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    exit(1);
}

__attribute__((noinline)) static void addmul(long outer, long inner) {
    long j = 0, k = 0;
    while (j < outer) {
        k = 0;
        while (k < inner) {
            long product, sum;
            if (__builtin_mul_overflow(j, k, &product) || __builtin_add_overflow(k, product, &sum))
                fail("integer overflow");
            __asm__ volatile("" : "+r"(sum));
            if (sum < 0)
                fail("assertion error");
            if (__builtin_add_overflow(k, 1, &k))
                fail("integer overflow");
        }
        if (__builtin_add_overflow(j, 1, &j))
            fail("integer overflow");
    }
    printf("%ld %ld\n", j, k);
}

int main(int argc, char **argv) {
    if (argc != 3)
        fail("usage: addmul OUTER INNER");
    addmul(atol(argv[1]), atol(argv[2]));
    return 0;
}
