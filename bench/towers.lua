-- towers.pyl in Lua.
local function push(piles, pile, disk)
  local top = piles[pile]
  assert(not top or disk.size < top.size)
  disk.below = top
  piles[pile] = disk
end

local function pop(piles, pile)
  local top = piles[pile]
  piles[pile] = top.below
  top.below = nil
  return top
end

local function move(piles, disks, source, target)
  if disks == 1 then
    push(piles, target, pop(piles, source))
    return 1
  end
  local other = 6 - source - target
  local moves = move(piles, disks - 1, source, other)
  moves = moves + move(piles, 1, source, target)
  return moves + move(piles, disks - 1, other, target)
end

local function work(disks)
  local piles = {}
  for size = disks, 1, -1 do
    push(piles, 1, {size = size})
  end
  return move(piles, disks, 1, 2)
end

local function main(rounds, disks, expected)
  for round = 0, rounds - 1 do
    assert(work(disks) == expected)
    print(round)
  end
end

main(150, 15, 32767)
