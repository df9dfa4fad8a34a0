-- fib.pyl in Lua.
local function fib(n)
  if n < 2 then
    return n
  end
  return fib(n - 1) + fib(n - 2)
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(fib(n) == expected)
    print(round)
  end
end

main(120, 25, 75025)
