-- One loop that is used with many functions, and with ints and floats: what a library's loops are like.
-- `cargo xtask bench` replaces the counts to get a shorter run.
local bit = require("bit")

local function fold(f, items, start)
  local result = start
  for index = 1, #items do
    result = f(result, items[index])
  end
  return result
end

local function add(a, b) return a + b end
local function less(a, b) return a - b end
local function most(a, b)
  if a < b then return b end
  return a
end
local function least(a, b)
  if b < a then return b end
  return a
end
local function mixed(a, b) return bit.band(a * 3 + b, 65535) end
local function either(a, b) return bit.bor(a, b) end
local function evens(a, b) return a + b % 2 end
local function squares(a, b) return bit.band(a + b * b, 1048575) end

local function truncated(x)
  if x < 0 then return math.ceil(x) end
  return math.floor(x)
end

local function work(ints, floats)
  local total = 0
  for _, f in ipairs({ add, less, most, least, mixed, either, evens, squares }) do
    total = total + fold(f, ints, 1)
  end
  for _, f in ipairs({ add, less, most, least }) do
    total = total + truncated(fold(f, floats, 0.5))
  end
  return total
end

local function main(rounds, n, expected)
  local ints, floats = {}, {}
  for item = 0, n - 1 do
    ints[item + 1] = item
    floats[item + 1] = item + 0.25
  end
  for round = 0, rounds - 1 do
    assert(work(ints, floats) == expected)
    print(round)
  end
end

main(2500, 2000, 280555)
