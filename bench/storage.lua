-- storage.pyl in Lua. (A list of nils has no length here, so its elements are false.)
local band = require("bit").band

local function filled(count)
  local result = {}
  for i = 1, count do
    result[i] = false
  end
  return result
end

local function work(depth)
  local seed = 74755
  local function random()
    seed = band(seed * 1309 + 13849, 65535)
    return seed
  end
  local count = 0
  local function build(depth)
    count = count + 1
    if depth == 1 then
      return filled(random() % 10 + 1)
    end
    local children = filled(4)
    for i = 1, 4 do
      children[i] = build(depth - 1)
    end
    return children
  end
  build(depth)
  return count
end

local function main(rounds, depth, expected)
  for round = 0, rounds - 1 do
    assert(work(depth) == expected)
    print(round)
  end
end

main(200, 8, 21845)
