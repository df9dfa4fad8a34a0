def main(n):
    names = ["ab", "cd", "ef", "x"]
    i = 0
    hits = 0
    while i < n:
        a = names[i % 4]
        b = names[i // 4 % 4]
        if a + b == "abcd":
            hits += 1
        if len(a + "-" + b) == 4:
            hits += 1
        i += 1
    print(hits)
main(5000000)
