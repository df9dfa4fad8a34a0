# mandelbrot.pyl in Python.
def inside(size):
    count = 0
    for row in range(size):
        ci = 2.0 * row / size - 1.0
        for column in range(size):
            cr = 2.0 * column / size - 1.5
            zr = zi = 0.0
            step = 0
            while step < 50 and zr * zr + zi * zi <= 4.0:
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                step += 1
            if step == 50:
                count += 1
    return count


def main(rounds, size, expected):
    for round in range(rounds):
        assert inside(size) == expected
        print(round)


main(150, 200, 15909)
