-- permute.pyl in Lua.
local function swap(items, i, j)
  items[i], items[j] = items[j], items[i]
end

local function permute(items, n)
  local count = 1
  if n ~= 0 then
    local last = n - 1
    count = count + permute(items, last)
    for i = n, 1, -1 do
      swap(items, n, i)
      count = count + permute(items, last)
      swap(items, n, i)
    end
  end
  return count
end

local function work(n)
  local items = {}
  for i = 1, n do
    items[i] = i
  end
  local count = permute(items, n)
  for i = 1, n do
    assert(items[i] == i)
  end
  return count
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(work(n) == expected)
    print(round)
  end
end

main(200, 7, 69281)
