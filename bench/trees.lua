-- trees.pyl in Lua.
local function make(depth)
  if depth == 0 then
    return {}
  end
  return {make(depth - 1), make(depth - 1)}
end

local function count(tree)
  if not tree[1] then
    return 1
  end
  return 1 + count(tree[1]) + count(tree[2])
end

local function short_lived(most)
  local nodes = 0
  for depth = 4, most, 4 do
    for _ = 1, 2 ^ (most - depth) do
      nodes = nodes + count(make(depth))
    end
  end
  return nodes
end

local function main(rounds, most, expected)
  local long_lived = make(most)
  for round = 0, rounds - 1 do
    assert(short_lived(most) == expected)
    print(round)
  end
  assert(count(long_lived) == 2 ^ (most + 1) - 1)
end

main(300, 14, 97212)
