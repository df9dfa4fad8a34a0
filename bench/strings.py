# strings.pyl in Python.
def numbers(count):
    parts = []
    for i in range(count):
        parts.append(str(i * i % 10007))
    return ",".join(parts)


def wrapped(words):
    lines = []
    line = ""
    for word in words:
        if len(line) + len(word) >= 60:
            lines.append(line)
            line = word
        elif len(line) == 0:
            line = word
        else:
            line = line + " " + word
    lines.append(line)
    return "\n".join(lines)


def rotated(text, table):
    parts = []
    for character in text:
        parts.append(table.get(character, character))
    return "".join(parts)


def rotation(letters):
    return {letters[i]: letters[(i + 5) % 10] for i in range(len(letters))}


def work(count, table):
    text = wrapped(numbers(count).split(","))
    turned = rotated(text, table)
    assert turned != text
    assert rotated(turned, table) == text
    sum = 0
    for line in turned.split("\n"):
        sum += len(line)
        for word in line.split():
            sum += int(word)
    return sum


def main(rounds, count, expected):
    table = rotation("0123456789")
    for round in range(rounds):
        assert work(count, table) == expected
        print(round)


main(400, 3000, 13402412)
