-- strings.pyl in Lua.
local sub = string.sub

local function numbers(count)
  local parts = {}
  for i = 0, count - 1 do
    parts[i + 1] = tostring(i * i % 10007)
  end
  return table.concat(parts, ",")
end

local function wrapped(words)
  local lines = {}
  local line = ""
  for word in words do
    if #line + #word >= 60 then
      lines[#lines + 1] = line
      line = word
    elseif #line == 0 then
      line = word
    else
      line = line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function rotated(text, letters)
  local parts = {}
  for i = 1, #text do
    local character = sub(text, i, i)
    parts[i] = letters[character] or character
  end
  return table.concat(parts)
end

local function rotation(letters)
  local result = {}
  for i = 1, #letters do
    local to = (i + 4) % 10 + 1
    result[sub(letters, i, i)] = sub(letters, to, to)
  end
  return result
end

local function work(count, letters)
  local text = wrapped(string.gmatch(numbers(count), "[^,]+"))
  local turned = rotated(text, letters)
  assert(turned ~= text)
  assert(rotated(turned, letters) == text)
  local sum = 0
  for line in string.gmatch(turned, "[^\n]+") do
    sum = sum + #line
    for word in string.gmatch(line, "%S+") do
      sum = sum + tonumber(word)
    end
  end
  return sum
end

local function main(rounds, count, expected)
  local letters = rotation("0123456789")
  for round = 0, rounds - 1 do
    assert(work(count, letters) == expected)
    print(round)
  end
end

main(400, 3000, 13402412)
