-- builder.pyl in Lua.
local function work(count)
  local text = ""
  local total = 0
  local i = 0
  while i < count do
    text = text .. "item " .. tostring(i % 977) .. ";"
    if #text > 800 then
      total = total + #text
      local middle = math.floor(#text / 2) + 1
      if string.sub(text, middle, middle) == ";" then
        total = total + 1
      end
      text = ""
    end
    i = i + 1
  end
  return total + #text
end

local function main(rounds, count, expected)
  for round = 0, rounds - 1 do
    assert(work(count) == expected)
    print(round)
  end
end

main(300, 20000, 177696)
