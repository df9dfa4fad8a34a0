-- json.pyl in Lua.
local sub = string.sub
local floor = math.floor

local function record(i)
  return table.concat({
    '{"id": ', i, ', "name": "item ', i % 100, '", "tags": ["a", "b\\n", null], ',
    '"size": {"width": ', i * 7 % 90, '.25, "height": -', i % 13, '}, "ok": true}',
  })
end

local function document(count)
  local records = {}
  for i = 0, count - 1 do
    records[i + 1] = record(i)
  end
  return "[" .. table.concat(records, ", ") .. "]"
end

local escapes = {n = "\n", t = "\t", r = "\r", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}
local null = {}

local function parse(text)
  local position = 1
  local value

  local function at(index)
    return sub(text, index, index)
  end

  local function skip()
    while at(position) == " " do
      position = position + 1
    end
  end

  local function expect(word)
    for i = 1, #word do
      assert(at(position) == sub(word, i, i))
      position = position + 1
    end
  end

  local function number()
    local start = position
    local character = at(position)
    while ("0" <= character and character <= "9") or character == "-" or character == "." do
      position = position + 1
      character = at(position)
    end
    return tonumber(sub(text, start, position - 1))
  end

  local function string()
    expect('"')
    local parts = {}
    local start = position
    while at(position) ~= '"' do
      if at(position) == "\\" then
        parts[#parts + 1] = sub(text, start, position - 1)
        parts[#parts + 1] = escapes[at(position + 1)]
        position = position + 2
        start = position
      else
        position = position + 1
      end
    end
    parts[#parts + 1] = sub(text, start, position - 1)
    position = position + 1
    return table.concat(parts)
  end

  local function array()
    local result = {}
    expect("[")
    skip()
    while at(position) ~= "]" do
      result[#result + 1] = value()
      skip()
      if at(position) == "," then
        position = position + 1
        skip()
      end
    end
    position = position + 1
    return result
  end

  local function mapping()
    local result = {}
    expect("{")
    skip()
    while at(position) ~= "}" do
      local key = string()
      skip()
      expect(":")
      result[key] = value()
      skip()
      if at(position) == "," then
        position = position + 1
        skip()
      end
    end
    position = position + 1
    return result
  end

  function value()
    skip()
    local first = at(position)
    if first == "{" then
      return mapping()
    elseif first == "[" then
      return array()
    elseif first == '"' then
      return string()
    elseif first == "t" then
      expect("true")
      return true
    elseif first == "f" then
      expect("false")
      return false
    elseif first == "n" then
      expect("null")
      return null
    end
    return number()
  end

  return value()
end

local function work(text)
  local sum = 0
  for _, item in ipairs(parse(text)) do
    local size = item.size
    assert(item.ok and item.tags[2] == "b\n" and item.tags[3] == null)
    sum = sum + item.id + #item.name + size.height + floor(size.width * 4)
  end
  return sum
end

local function main(rounds, records, expected)
  local text = document(records) .. " "
  for round = 0, rounds - 1 do
    assert(work(text) == expected)
    print(round)
  end
end

main(300, 200, 55140)
