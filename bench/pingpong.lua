-- pingpong.pyl in Lua.
local function turns(value)
  while true do
    value = coroutine.yield((value * 5 + 3) % 10007)
  end
end

local function work(count)
  local other = coroutine.wrap(turns)
  local value = 1
  local total = 0
  local i = 0
  while i < count do
    value = other(value)
    total = total + value
    i = i + 1
  end
  return total
end

local function main(rounds, count, expected)
  for round = 0, rounds - 1 do
    assert(work(count) == expected)
    print(round)
  end
end

main(400, 50000, 250181671)
