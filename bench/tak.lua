-- tak.pyl in Lua.
local function tak(x, y, z)
  if y >= x then
    return z
  end
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(tak(3 * n, 2 * n, n) == expected)
    print(round)
  end
end

main(400, 6, 7)
