-- conses.pyl in Lua.
local max, min = math.max, math.min

local function upto(n)
  local list
  for i = n, 1, -1 do
    list = {i, list}
  end
  return list
end

local function reverse(list)
  local result
  while list do
    result = {list[1], result}
    list = list[2]
  end
  return result
end

local function map(f, list)
  local result
  while list do
    result = {f(list[1]), result}
    list = list[2]
  end
  return reverse(result)
end

local function filter(wanted, list)
  local result
  while list do
    if wanted(list[1]) then
      result = {list[1], result}
    end
    list = list[2]
  end
  return reverse(result)
end

local function both(f, one, two)
  local result
  while one and two do
    result = {f(one[1], two[1]), result}
    one, two = one[2], two[2]
  end
  return reverse(result)
end

local function sum(list)
  local result = 0
  while list do
    result = result + list[1]
    list = list[2]
  end
  return result
end

local function square(x)
  return x * x % 1009
end

local function odd(x)
  return x % 2 == 1
end

local function difference(x, y)
  return max(x, y) - min(x, y)
end

local function work(n)
  local squares = filter(odd, map(square, upto(n)))
  return sum(both(difference, squares, reverse(squares)))
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(work(n) == expected)
    print(round)
  end
end

main(300, 40000, 6692008)
