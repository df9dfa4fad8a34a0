# json.pyl in Python.
def record(i):
    parts = ['{"id": ', str(i), ', "name": "item ', str(i % 100), '", "tags": ["a", "b\\n", null], ']
    parts.extend(['"size": {"width": ', str(i * 7 % 90), '.25, "height": -', str(i % 13), '}, "ok": true}'])
    return "".join(parts)


def document(count):
    return "[" + ", ".join([record(i) for i in range(count)]) + "]"


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/"}


class Parser:
    def __init__(self, text):
        self.text = text
        self.position = 0

    def skip(self):
        while self.text[self.position] == " ":
            self.position += 1

    def expect(self, word):
        for character in word:
            assert self.text[self.position] == character
            self.position += 1

    def number(self):
        start = self.position
        character = self.text[start]
        fraction = False
        while "0" <= character <= "9" or character == "-" or character == ".":
            if character == ".":
                fraction = True
            self.position += 1
            character = self.text[self.position]
        digits = self.text[start:self.position]
        return float(digits) if fraction else int(digits)

    def string(self):
        self.expect('"')
        parts = []
        start = self.position
        while self.text[self.position] != '"':
            if self.text[self.position] == "\\":
                parts.append(self.text[start:self.position])
                parts.append(ESCAPES[self.text[self.position + 1]])
                self.position += 2
                start = self.position
            else:
                self.position += 1
        parts.append(self.text[start:self.position])
        self.position += 1
        return "".join(parts)

    def array(self):
        result = []
        self.expect("[")
        self.skip()
        while self.text[self.position] != "]":
            result.append(self.value())
            self.skip()
            if self.text[self.position] == ",":
                self.position += 1
                self.skip()
        self.position += 1
        return result

    def mapping(self):
        result = {}
        self.expect("{")
        self.skip()
        while self.text[self.position] != "}":
            key = self.string()
            self.skip()
            self.expect(":")
            result[key] = self.value()
            self.skip()
            if self.text[self.position] == ",":
                self.position += 1
                self.skip()
        self.position += 1
        return result

    def value(self):
        self.skip()
        first = self.text[self.position]
        if first == "{":
            return self.mapping()
        if first == "[":
            return self.array()
        if first == '"':
            return self.string()
        if first == "t":
            self.expect("true")
            return True
        if first == "f":
            self.expect("false")
            return False
        if first == "n":
            self.expect("null")
            return None
        return self.number()


def work(text):
    sum = 0
    for item in Parser(text).value():
        size = item["size"]
        assert item["ok"] and item["tags"][1] == "b\n" and item["tags"][2] is None
        sum += item["id"] + len(item["name"]) + size["height"] + int(size["width"] * 4)
    return sum


def main(rounds, records, expected):
    text = document(records) + " "
    for round in range(rounds):
        assert work(text) == expected
        print(round)


main(300, 200, 55140)
