# bounce.pyl in Python.
class Random:
    def __init__(self):
        self.seed = 74755

    def next(self):
        self.seed = self.seed * 1309 + 13849 & 65535
        return self.seed


class Ball:
    def __init__(self, random):
        self.x = random.next() % 500
        self.y = random.next() % 500
        self.x_speed = random.next() % 300 - 150
        self.y_speed = random.next() % 300 - 150

    def bounce(self):
        bounced = False
        self.x += self.x_speed
        self.y += self.y_speed
        if self.x > 500:
            self.x = 500
            self.x_speed = 0 - abs(self.x_speed)
            bounced = True
        if self.x < 0:
            self.x = 0
            self.x_speed = abs(self.x_speed)
            bounced = True
        if self.y > 500:
            self.y = 500
            self.y_speed = 0 - abs(self.y_speed)
            bounced = True
        if self.y < 0:
            self.y = 0
            self.y_speed = abs(self.y_speed)
            bounced = True
        return bounced


def work(frames):
    random = Random()
    balls = [Ball(random) for _ in range(100)]
    bounces = 0
    for _ in range(frames):
        for ball in balls:
            if ball.bounce():
                bounces += 1
    return bounces


def main(rounds, frames, expected):
    for round in range(rounds):
        assert work(frames) == expected
        print(round)


main(600, 1200, 31928)
