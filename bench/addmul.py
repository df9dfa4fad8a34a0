# addmul.pyl in Python, at module level.
j = 0
while j < 100:
    k = 0
    while k < 100000:
        assert k + j * k >= 0
        k += 1
    j += 1
print(j, k)
