# nbody.pyl in Python.
from math import sqrt

SOLAR_MASS = 39.47841760435743
YEAR = 365.24


class Body:
    def __init__(self, x, y, z, x_speed, y_speed, z_speed, mass):
        self.x = x
        self.y = y
        self.z = z
        self.x_speed = x_speed * YEAR
        self.y_speed = y_speed * YEAR
        self.z_speed = z_speed * YEAR
        self.mass = mass * SOLAR_MASS


def system():
    sun = Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    jupiter = Body(
        4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01,
        1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04)
    saturn = Body(
        8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01,
        -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04)
    uranus = Body(
        1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01,
        2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05)
    neptune = Body(
        1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01,
        2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05)
    bodies = [sun, jupiter, saturn, uranus, neptune]
    # The sun moves so that the whole stays in place.
    for body in bodies:
        sun.x_speed -= body.x_speed * body.mass / SOLAR_MASS
        sun.y_speed -= body.y_speed * body.mass / SOLAR_MASS
        sun.z_speed -= body.z_speed * body.mass / SOLAR_MASS
    return bodies


def advance(bodies, step):
    for i in range(len(bodies)):
        one = bodies[i]
        for j in range(i + 1, len(bodies)):
            two = bodies[j]
            dx = one.x - two.x
            dy = one.y - two.y
            dz = one.z - two.z
            square = dx * dx + dy * dy + dz * dz
            force = step / (square * sqrt(square))
            one.x_speed -= dx * two.mass * force
            one.y_speed -= dy * two.mass * force
            one.z_speed -= dz * two.mass * force
            two.x_speed += dx * one.mass * force
            two.y_speed += dy * one.mass * force
            two.z_speed += dz * one.mass * force
    for body in bodies:
        body.x += step * body.x_speed
        body.y += step * body.y_speed
        body.z += step * body.z_speed


def energy(bodies):
    sum = 0.0
    for i in range(len(bodies)):
        one = bodies[i]
        speed = one.x_speed * one.x_speed + one.y_speed * one.y_speed + one.z_speed * one.z_speed
        sum += 0.5 * one.mass * speed
        for j in range(i + 1, len(bodies)):
            two = bodies[j]
            dx = one.x - two.x
            dy = one.y - two.y
            dz = one.z - two.z
            sum -= one.mass * two.mass / sqrt(dx * dx + dy * dy + dz * dz)
    return sum


def work(steps):
    bodies = system()
    for _ in range(steps):
        advance(bodies, 0.01)
    return int(energy(bodies) * -1e9)


def main(rounds, steps, expected):
    for round in range(rounds):
        assert work(steps) == expected
        print(round)


main(600, 2000, 169071606)
