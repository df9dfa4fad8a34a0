def main(n):
    r = 0
    total = 0
    while r < 20:
        s = ""
        i = 0
        while i < n:
            s = s + "xy"
            i += 1
        total += len(s)
        r += 1
    print(total)
main(3000)
