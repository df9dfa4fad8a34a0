def main(n):
    text = "The quick brown fox jumps over the lazy dog; a cat sat on the mat. "
    r = 0
    vowels = 0
    spaces = 0
    while r < n:
        i = 0
        while i < len(text):
            c = text[i]
            if c == "a" or c == "e":
                vowels += 1
            if c == " ":
                spaces += 1
            i += 1
        r += 1
    print(vowels, spaces)
main(300000)
