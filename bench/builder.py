# builder.pyl in Python.
def work(count):
    text = ""
    total = 0
    i = 0
    while i < count:
        text = text + "item " + str(i % 977) + ";"
        if len(text) > 800:
            total += len(text)
            if text[len(text) // 2] == ";":
                total += 1
            text = ""
        i += 1
    return total + len(text)


def main(rounds, count, expected):
    for round in range(rounds):
        assert work(count) == expected
        print(round)


main(300, 20000, 177696)
