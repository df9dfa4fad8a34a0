def main(n):
    d = {}
    i = 0
    while i < n:
        k = i * 7919 % 1000
        if k in d:
            d[k] = d[k] + 1
        else:
            d[k] = 1
        i += 1
    print(d[5], d[999])
main(5000000)
