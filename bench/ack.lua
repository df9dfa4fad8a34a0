-- ack.pyl in Lua. (Calls in tail position take no stack, as is usual in Lua.)
local function ack(m, n)
  if m == 0 then
    return n + 1
  end
  if n == 0 then
    return ack(m - 1, 1)
  end
  return ack(m - 1, ack(m, n - 1))
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(ack(3, n) == expected)
    print(round)
  end
end

main(150, 6, 509)
