def main(n):
    words = "the quick brown fox jumps over the lazy dog and the cat sat on the mat with a hat".split()
    counts = {}
    for word in words:
        counts[word] = 0
    r = 0
    while r < n:
        for word in words:
            counts[word] = counts[word] + 1
        r += 1
    print(counts["the"], counts["hat"])
main(300000)
