/* The same, through a pointer that the compiler can't see through. */
#include <stdio.h>
#include <stdlib.h>

int (*volatile function)(int) = abs;

int main(void) {
    int (*call)(int) = function;
    long sum = 0;
    for (long i = 0; i < 300000000; i++)
        sum += call((int)(i - 1000));
    printf("%ld\n", sum);
    return 0;
}
