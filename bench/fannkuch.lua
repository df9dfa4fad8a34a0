-- fannkuch.pyl in Lua.
local function checksum(n)
  local permutation, flipped, counts = {}, {}, {}
  for i = 1, n do
    permutation[i], counts[i] = i, i - 1
  end
  local sum = 0
  local even = true
  while true do
    -- The flips of this permutation.
    local first = permutation[1]
    if first ~= 1 then
      for i = 1, n do
        flipped[i] = permutation[i]
      end
      local flips = 0
      while first ~= 1 do
        local low, high = 2, first - 1
        while low < high do
          flipped[low], flipped[high] = flipped[high], flipped[low]
          low = low + 1
          high = high - 1
        end
        local next = flipped[first]
        flipped[first] = first
        first = next
        flips = flips + 1
      end
      if even then
        sum = sum + flips
      else
        sum = sum - flips
      end
    end
    -- The next permutation, by rotations of ever longer beginnings.
    if even then
      permutation[1], permutation[2] = permutation[2], permutation[1]
      even = false
    else
      permutation[2], permutation[3] = permutation[3], permutation[2]
      even = true
      local length = 3
      while counts[length] == 0 do
        counts[length] = length - 1
        length = length + 1
        if length > n then
          return sum
        end
        local pancake = permutation[1]
        for i = 1, length - 1 do
          permutation[i] = permutation[i + 1]
        end
        permutation[length] = pancake
      end
      counts[length] = counts[length] - 1
    end
  end
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(checksum(n) == expected)
    print(round)
  end
end

main(150, 8, 1616)
