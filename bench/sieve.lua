-- sieve.pyl in Lua.
local function primes_below(limit)
  local is_prime = {}
  for i = 2, limit - 1 do
    is_prime[i] = true
  end
  local count = 0
  for i = 2, limit - 1 do
    if is_prime[i] then
      count = count + 1
      for multiple = i + i, limit - 1, i do
        is_prime[multiple] = false
      end
    end
  end
  return count
end

local function main(rounds, limit, expected)
  for round = 0, rounds - 1 do
    assert(primes_below(limit) == expected)
    print(round)
  end
end

main(500, 100000, 9592)
