-- nbody.pyl in Lua.
local sqrt = math.sqrt

local SOLAR_MASS = 39.47841760435743
local YEAR = 365.24

local function body(x, y, z, x_speed, y_speed, z_speed, mass)
  return {
    x = x,
    y = y,
    z = z,
    x_speed = x_speed * YEAR,
    y_speed = y_speed * YEAR,
    z_speed = z_speed * YEAR,
    mass = mass * SOLAR_MASS,
  }
end

local function system()
  local sun = body(0, 0, 0, 0, 0, 0, 1)
  local jupiter = body(
    4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01,
    1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04)
  local saturn = body(
    8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01,
    -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04)
  local uranus = body(
    1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01,
    2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05)
  local neptune = body(
    1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01,
    2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05)
  local bodies = {sun, jupiter, saturn, uranus, neptune}
  -- The sun moves so that the whole stays in place.
  for _, body in ipairs(bodies) do
    sun.x_speed = sun.x_speed - body.x_speed * body.mass / SOLAR_MASS
    sun.y_speed = sun.y_speed - body.y_speed * body.mass / SOLAR_MASS
    sun.z_speed = sun.z_speed - body.z_speed * body.mass / SOLAR_MASS
  end
  return bodies
end

local function advance(bodies, step)
  for i = 1, #bodies do
    local one = bodies[i]
    for j = i + 1, #bodies do
      local two = bodies[j]
      local dx = one.x - two.x
      local dy = one.y - two.y
      local dz = one.z - two.z
      local square = dx * dx + dy * dy + dz * dz
      local force = step / (square * sqrt(square))
      one.x_speed = one.x_speed - dx * two.mass * force
      one.y_speed = one.y_speed - dy * two.mass * force
      one.z_speed = one.z_speed - dz * two.mass * force
      two.x_speed = two.x_speed + dx * one.mass * force
      two.y_speed = two.y_speed + dy * one.mass * force
      two.z_speed = two.z_speed + dz * one.mass * force
    end
  end
  for _, body in ipairs(bodies) do
    body.x = body.x + step * body.x_speed
    body.y = body.y + step * body.y_speed
    body.z = body.z + step * body.z_speed
  end
end

local function energy(bodies)
  local sum = 0
  for i = 1, #bodies do
    local one = bodies[i]
    local speed = one.x_speed * one.x_speed + one.y_speed * one.y_speed + one.z_speed * one.z_speed
    sum = sum + 0.5 * one.mass * speed
    for j = i + 1, #bodies do
      local two = bodies[j]
      local dx = one.x - two.x
      local dy = one.y - two.y
      local dz = one.z - two.z
      sum = sum - one.mass * two.mass / sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local function work(steps)
  local bodies = system()
  for _ = 1, steps do
    advance(bodies, 0.01)
  end
  return math.floor(energy(bodies) * -1e9)
end

local function main(rounds, steps, expected)
  for round = 0, rounds - 1 do
    assert(work(steps) == expected)
    print(round)
  end
end

main(600, 2000, 169071606)
