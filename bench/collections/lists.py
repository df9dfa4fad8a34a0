def main(n):
    r = 0
    s = 0
    while r < 30:
        l = []
        i = 0
        while i < n:
            l.append(i)
            i += 1
        for x in l:
            s += x
        j = 0
        while j < len(l):
            l[j] = l[j] + 1
            j += 1
        while len(l) > 0:
            s += l.pop()
        r += 1
    print(s)
main(1000000)
