# empty.pyl in Python.
