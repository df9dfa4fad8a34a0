-- addmul_func.pyl in Lua. Numbers are doubles; the variables are local, as Lua programmers write them.
local j = 0
local k
while j < 500 do
  k = 0
  while k < 5000000 do
    assert(k + j * k >= 0)
    k = k + 1
  end
  j = j + 1
end
print(j .. " " .. k)
