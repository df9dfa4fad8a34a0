-- words.pyl in Lua.
local band = require("bit").band

local function made_text(count)
  local seed = 74755
  local function random()
    seed = band(seed * 1309 + 13849, 65535)
    return seed
  end
  local syllables = {"ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "ze"}
  local words = {}
  for i = 1, count do
    local word = syllables[random() % 10 + 1]
    while random() % 8 < 5 do
      word = word .. syllables[random() % 10 + 1]
    end
    words[i] = word
  end
  return table.concat(words, " ")
end

local function work(text)
  local counts = {}
  for word in string.gmatch(text, "%S+") do
    counts[word] = (counts[word] or 0) + 1
  end
  local different, most, total = 0, 0, 0
  for word, count in pairs(counts) do
    different = different + 1
    if count > most then
      most = count
    end
    total = total + #word * count
  end
  return different * 10000 + most + total
end

local function main(rounds, count, expected)
  local text = made_text(count)
  for round = 0, rounds - 1 do
    assert(work(text) == expected)
    print(round)
  end
end

main(400, 25000, 1412507)
