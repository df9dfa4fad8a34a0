-- richards.pyl in Lua.
local bxor = require("bit").bxor
local floor = math.floor

local IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5, 6
local DEVICE_PACKET, WORK_PACKET = 0, 1
local WORDS = 4

local function new_packet(link, owner, kind)
  return {link = link, owner = owner, kind = kind, datum = 0, data = {0, 0, 0, 0}}
end

local function append(packet, queue)
  packet.link = nil
  if not queue then
    return packet
  end
  local last = queue
  while last.link do
    last = last.link
  end
  last.link = packet
  return queue
end

local Task = {}
Task.__index = Task

local function class()
  local made = setmetatable({}, Task)
  made.__index = made
  return made
end

local function new_task(class, scheduler, id, priority, queue, waiting)
  local task = {
    scheduler = scheduler,
    id = id,
    priority = priority,
    queue = queue,
    waiting = waiting,
    held = false,
    next = scheduler.first,
  }
  scheduler.first = task
  scheduler.tasks[id] = task
  return setmetatable(task, class)
end

function Task:run()
  local packet
  if self.waiting then
    packet = self.queue
    self.queue = packet.link
    self.waiting = false
  end
  return self:work(packet)
end

-- Puts a packet in; whoever is more urgent runs next.
function Task:add(packet, current)
  if not self.queue then
    self.queue = packet
    if self.priority > current.priority then
      return self
    end
  else
    append(packet, self.queue)
  end
  return current
end

local Idle = class()

function Idle.new(scheduler, count)
  local task = new_task(Idle, scheduler, IDLE, 0, nil, false)
  task.control = 1
  task.count = count
end

function Idle:work()
  self.count = self.count - 1
  if self.count == 0 then
    return self.scheduler:hold()
  end
  if self.control % 2 == 0 then
    self.control = self.control / 2
    return self.scheduler:release(DEVICE_A)
  end
  self.control = bxor(floor(self.control / 2), 53256)
  return self.scheduler:release(DEVICE_B)
end

local Worker = class()

function Worker.new(scheduler, priority, queue)
  local task = new_task(Worker, scheduler, WORKER, priority, queue, true)
  task.handler = HANDLER_A
  task.letter = 0
end

function Worker:work(packet)
  if not packet then
    return self.scheduler:wait()
  end
  self.handler = HANDLER_A + HANDLER_B - self.handler
  packet.owner = self.handler
  packet.datum = 0
  for i = 1, WORDS do
    self.letter = self.letter + 1
    if self.letter > 26 then
      self.letter = 1
    end
    packet.data[i] = 64 + self.letter
  end
  return self.scheduler:send(packet)
end

local Handler = class()

function Handler.new(scheduler, id, priority, queue)
  new_task(Handler, scheduler, id, priority, queue, true)
end

function Handler:work(packet)
  if packet then
    if packet.kind == WORK_PACKET then
      self.works = append(packet, self.works)
    else
      self.devices = append(packet, self.devices)
    end
  end
  local work = self.works
  if work then
    local count = work.datum
    if count >= WORDS then
      self.works = work.link
      return self.scheduler:send(work)
    end
    local device = self.devices
    if device then
      self.devices = device.link
      device.datum = work.data[count + 1]
      work.datum = count + 1
      return self.scheduler:send(device)
    end
  end
  return self.scheduler:wait()
end

local Device = class()

function Device.new(scheduler, id, priority)
  new_task(Device, scheduler, id, priority, nil, true)
end

function Device:work(packet)
  if packet then
    self.pending = packet
    return self.scheduler:hold()
  end
  packet = self.pending
  if not packet then
    return self.scheduler:wait()
  end
  self.pending = nil
  return self.scheduler:send(packet)
end

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler:hold()
  self.holds = self.holds + 1
  self.current.held = true
  return self.current.next
end

function Scheduler:wait()
  self.current.waiting = true
  return self.current
end

function Scheduler:release(id)
  local task = self.tasks[id]
  task.held = false
  if task.priority > self.current.priority then
    return task
  end
  return self.current
end

function Scheduler:send(packet)
  local task = self.tasks[packet.owner]
  self.sent = self.sent + 1
  packet.link = nil
  packet.owner = self.current.id
  return task:add(packet, self.current)
end

function Scheduler:schedule()
  local task = self.first
  while task do
    if task.held or (task.waiting and not task.queue) then
      task = task.next
    else
      self.current = task
      task = task:run()
    end
  end
end

local function packets(count, owner, kind)
  local queue
  for _ = 1, count do
    queue = new_packet(queue, owner, kind)
  end
  return queue
end

local function run(count, holds)
  local scheduler = setmetatable({tasks = {}, sent = 0, holds = 0}, Scheduler)
  Idle.new(scheduler, count)
  Worker.new(scheduler, 1000, packets(2, WORKER, WORK_PACKET))
  Handler.new(scheduler, HANDLER_A, 2000, packets(3, DEVICE_A, DEVICE_PACKET))
  Handler.new(scheduler, HANDLER_B, 3000, packets(3, DEVICE_B, DEVICE_PACKET))
  Device.new(scheduler, DEVICE_A, 4000)
  Device.new(scheduler, DEVICE_B, 5000)
  scheduler:schedule()
  assert(scheduler.holds == holds)
  return scheduler.sent
end

local function main(rounds, count, holds, expected)
  for round = 0, rounds - 1 do
    assert(run(count, holds) == expected)
    print(round)
  end
end

main(150, 10000, 9297, 23246)
