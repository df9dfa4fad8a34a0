-- mandelbrot.pyl in Lua.
local function inside(size)
  local count = 0
  for row = 0, size - 1 do
    local ci = 2 * row / size - 1
    for column = 0, size - 1 do
      local cr = 2 * column / size - 1.5
      local zr, zi, step = 0, 0, 0
      while step < 50 and zr * zr + zi * zi <= 4 do
        zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
        step = step + 1
      end
      if step == 50 then
        count = count + 1
      end
    end
  end
  return count
end

local function main(rounds, size, expected)
  for round = 0, rounds - 1 do
    assert(inside(size) == expected)
    print(round)
  end
end

main(150, 200, 15909)
