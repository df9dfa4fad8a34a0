-- bounce.pyl in Lua.
local band = require("bit").band
local abs = math.abs

local function new_random()
  local seed = 74755
  return function()
    seed = band(seed * 1309 + 13849, 65535)
    return seed
  end
end

local Ball = {}
Ball.__index = Ball

function Ball.new(random)
  local x = random() % 500
  local y = random() % 500
  local x_speed = random() % 300 - 150
  local y_speed = random() % 300 - 150
  return setmetatable({x = x, y = y, x_speed = x_speed, y_speed = y_speed}, Ball)
end

function Ball:bounce()
  local bounced = false
  self.x = self.x + self.x_speed
  self.y = self.y + self.y_speed
  if self.x > 500 then
    self.x = 500
    self.x_speed = 0 - abs(self.x_speed)
    bounced = true
  end
  if self.x < 0 then
    self.x = 0
    self.x_speed = abs(self.x_speed)
    bounced = true
  end
  if self.y > 500 then
    self.y = 500
    self.y_speed = 0 - abs(self.y_speed)
    bounced = true
  end
  if self.y < 0 then
    self.y = 0
    self.y_speed = abs(self.y_speed)
    bounced = true
  end
  return bounced
end

local function work(frames)
  local random = new_random()
  local balls = {}
  for i = 1, 100 do
    balls[i] = Ball.new(random)
  end
  local bounces = 0
  for _ = 1, frames do
    for _, ball in ipairs(balls) do
      if ball:bounce() then
        bounces = bounces + 1
      end
    end
  end
  return bounces
end

local function main(rounds, frames, expected)
  for round = 0, rounds - 1 do
    assert(work(frames) == expected)
    print(round)
  end
end

main(600, 1200, 31928)
