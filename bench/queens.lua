-- queens.pyl in Lua.
local function filled(count, value)
  local result = {}
  for i = 1, count do
    result[i] = value
  end
  return result
end

local function solutions(size)
  local columns = filled(size, true)
  local rising = filled(2 * size, true)
  local falling = filled(2 * size, true)
  local function place(row)
    if row > size then
      return 1
    end
    local found = 0
    for column = 1, size do
      local up = row + column - 1
      local down = row - column + size
      if columns[column] and rising[up] and falling[down] then
        columns[column] = false
        rising[up] = false
        falling[down] = false
        found = found + place(row + 1)
        columns[column] = true
        rising[up] = true
        falling[down] = true
      end
    end
    return found
  end
  return place(1)
end

local function main(rounds, size, expected)
  for round = 0, rounds - 1 do
    assert(solutions(size) == expected)
    print(round)
  end
end

main(300, 9, 352)
