-- list.pyl in Lua.
local function make(length)
  if length == 0 then
    return nil
  end
  return {value = length, next = make(length - 1)}
end

local function length(list)
  if not list then
    return 0
  end
  return 1 + length(list.next)
end

local function shorter(x, y)
  while y do
    if not x then
      return true
    end
    x, y = x.next, y.next
  end
  return false
end

local function tail(x, y, z)
  if shorter(y, x) then
    return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y))
  end
  return z
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(length(tail(make(3 * n), make(2 * n), make(n))) == expected)
    print(round)
  end
end

main(150, 6, 7)
