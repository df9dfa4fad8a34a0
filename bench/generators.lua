-- generators.pyl in Lua, with coroutines.
local wrap, yield = coroutine.wrap, coroutine.yield

local function upto(n)
  return wrap(function()
    for i = 0, n - 1 do
      yield(i)
    end
  end)
end

local function mapped(f, source)
  return wrap(function()
    for item in source do
      yield(f(item))
    end
  end)
end

local function filtered(wanted, source)
  return wrap(function()
    for item in source do
      if wanted(item) then
        yield(item)
      end
    end
  end)
end

local function paired(source)
  return wrap(function()
    local last = 0
    for item in source do
      yield(last + item)
      last = item
    end
  end)
end

local function square(x)
  return x * x % 1009
end

local function odd(x)
  return x % 2 == 1
end

local function work(n)
  local sum = 0
  for item in paired(filtered(odd, mapped(square, upto(n)))) do
    sum = sum + item
  end
  return sum
end

local function main(rounds, n, expected)
  for round = 0, rounds - 1 do
    assert(work(n) == expected)
    print(round)
  end
end

main(500, 30000, 15563267)
