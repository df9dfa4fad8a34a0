# words.pyl in Python.
class Random:
    def __init__(self):
        self.seed = 74755

    def next(self):
        self.seed = self.seed * 1309 + 13849 & 65535
        return self.seed


def made_text(count):
    random = Random()
    syllables = ["ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "ze"]
    words = []
    while len(words) < count:
        word = syllables[random.next() % 10]
        while random.next() % 8 < 5:
            word = word + syllables[random.next() % 10]
        words.append(word)
    return " ".join(words)


def work(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    most = 0
    total = 0
    for word, count in counts.items():
        if count > most:
            most = count
        total += len(word) * count
    return len(counts) * 10000 + most + total


def main(rounds, count, expected):
    text = made_text(count)
    for round in range(rounds):
        assert work(text) == expected
        print(round)


main(400, 25000, 1412507)
