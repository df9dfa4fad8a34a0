-- deltablue.pyl in Lua.
local floor, max = math.floor, math.max

local REQUIRED, PREFERRED, DEFAULT, WEAKEST = 0, 2, 4, 6

local function new_variable(value)
  return {value = value, constraints = {}, mark = 0, strength = WEAKEST, stay = true}
end

local function push(list, item)
  list[#list + 1] = item
end

local function pop(list)
  local item = list[#list]
  list[#list] = nil
  return item
end

local Constraint = {is_input = false}
Constraint.__index = Constraint

local function class(parent)
  local made = setmetatable({}, parent)
  made.__index = made
  return made
end

local function new_constraint(class, planner, strength, variables)
  local constraint = {
    planner = planner,
    strength = strength,
    variables = variables,
    one = variables[1],
    two = variables[2],
    satisfied = false,
    forward = true,
  }
  setmetatable(constraint, class)
  for _, variable in ipairs(variables) do
    push(variable.constraints, constraint)
  end
  planner:incremental_add(constraint)
  return constraint
end

function Constraint:remove_from_graph()
  for _, variable in ipairs(self.variables) do
    for i, other in ipairs(variable.constraints) do
      if other == self then
        table.remove(variable.constraints, i)
        break
      end
    end
  end
  self.satisfied = false
end

function Constraint:remove()
  if self.satisfied then
    self.planner:incremental_remove(self)
  else
    self:remove_from_graph()
  end
end

-- Satisfies the constraint if it can be; gives the weaker constraint that it replaces.
function Constraint:satisfy(mark)
  self:choose_method(mark)
  if not self.satisfied then
    assert(self.strength ~= REQUIRED)
    return nil
  end
  self:mark_inputs(mark)
  local output = self:output()
  local replaced = output.determined_by
  if replaced then
    replaced.satisfied = false
  end
  output.determined_by = self
  assert(self.planner:add_propagate(self, mark))
  output.mark = mark
  return replaced
end

-- A constraint on one variable.
local Unary = class(Constraint)

function Unary:choose_method(mark)
  self.satisfied = self.one.mark ~= mark and self.strength < self.one.strength
end

function Unary:mark_inputs()
end

function Unary:inputs_known()
  return true
end

function Unary:output()
  return self.one
end

function Unary:recalculate()
  local variable = self.one
  variable.strength = self.strength
  variable.stay = not self.is_input
  if variable.stay then
    self:execute()
  end
end

function Unary:execute()
end

local Stay = class(Unary)

function Stay.new(planner, variable, strength)
  return new_constraint(Stay, planner, strength, {variable})
end

local Edit = class(Unary)
Edit.is_input = true

function Edit.new(planner, variable, strength)
  return new_constraint(Edit, planner, strength, {variable})
end

-- A constraint between two variables; `forward` says which of them it computes.
local Binary = class(Constraint)

function Binary:choose_method(mark)
  local one, two = self.one, self.two
  if one.mark == mark then
    self:choose(true, two.mark ~= mark and self.strength < two.strength)
  elseif two.mark == mark then
    self:choose(false, self.strength < one.strength)
  elseif two.strength < one.strength then
    self:choose(false, self.strength < one.strength)
  else
    self:choose(true, self.strength < two.strength)
  end
end

function Binary:choose(forward, satisfied)
  self.forward = forward
  self.satisfied = satisfied
end

function Binary:input()
  return self.forward and self.one or self.two
end

function Binary:output()
  return self.forward and self.two or self.one
end

function Binary:mark_inputs(mark)
  self:input().mark = mark
end

function Binary:inputs_known(mark)
  local input = self:input()
  return input.mark == mark or input.stay or not input.determined_by
end

function Binary:recalculate()
  local input, output = self:input(), self:output()
  output.strength = max(self.strength, input.strength)
  output.stay = input.stay
  if output.stay then
    self:execute()
  end
end

local Equal = class(Binary)

function Equal.new(planner, one, two, strength)
  return new_constraint(Equal, planner, strength, {one, two})
end

function Equal:execute()
  self:output().value = self:input().value
end

-- two = one * scale + offset
local Scale = class(Binary)

function Scale.new(planner, one, scale, offset, two, strength)
  return new_constraint(Scale, planner, strength, {one, two, scale, offset})
end

function Scale:mark_inputs(mark)
  Binary.mark_inputs(self, mark)
  self.variables[3].mark = mark
  self.variables[4].mark = mark
end

function Scale:execute()
  local scale, offset = self.variables[3].value, self.variables[4].value
  if self.forward then
    self.two.value = self.one.value * scale + offset
  else
    self.one.value = floor((self.two.value - offset) / scale)
  end
end

function Scale:recalculate()
  local input, output = self:input(), self:output()
  output.strength = max(self.strength, input.strength)
  output.stay = input.stay and self.variables[3].stay and self.variables[4].stay
  if output.stay then
    self:execute()
  end
end

local Planner = {}
Planner.__index = Planner

function Planner.new()
  return setmetatable({mark = 0}, Planner)
end

function Planner:new_mark()
  self.mark = self.mark + 1
  return self.mark
end

function Planner:incremental_add(constraint)
  local mark = self:new_mark()
  local replaced = constraint:satisfy(mark)
  while replaced do
    replaced = replaced:satisfy(mark)
  end
end

function Planner:incremental_remove(constraint)
  local output = constraint:output()
  constraint.satisfied = false
  constraint:remove_from_graph()
  local unsatisfied = self:remove_propagate(output)
  for strength = REQUIRED, WEAKEST do
    for _, other in ipairs(unsatisfied) do
      if other.strength == strength then
        self:incremental_add(other)
      end
    end
  end
end

local function add_consuming(variable, found)
  local determining = variable.determined_by
  for _, constraint in ipairs(variable.constraints) do
    if constraint ~= determining and constraint.satisfied then
      push(found, constraint)
    end
  end
end

-- Recomputes what follows from the constraint; not if it leads back to itself.
function Planner:add_propagate(constraint, mark)
  local todo = {constraint}
  while #todo > 0 do
    local next = pop(todo)
    if next:output().mark == mark then
      self:incremental_remove(constraint)
      return false
    end
    next:recalculate()
    add_consuming(next:output(), todo)
  end
  return true
end

-- Frees the variable and what follows from it; gives the constraints that might be satisfied now.
function Planner:remove_propagate(output)
  output.determined_by = nil
  output.strength = WEAKEST
  output.stay = true
  local unsatisfied = {}
  local todo = {output}
  while #todo > 0 do
    local variable = pop(todo)
    for _, constraint in ipairs(variable.constraints) do
      if not constraint.satisfied then
        push(unsatisfied, constraint)
      end
    end
    local determining = variable.determined_by
    for _, next in ipairs(variable.constraints) do
      if next ~= determining and next.satisfied then
        next:recalculate()
        push(todo, next:output())
      end
    end
  end
  return unsatisfied
end

-- The constraints to execute, in order, after the sources have changed.
function Planner:make_plan(sources)
  local mark = self:new_mark()
  local plan = {}
  local todo = sources
  while #todo > 0 do
    local constraint = pop(todo)
    local output = constraint:output()
    if output.mark ~= mark and constraint:inputs_known(mark) then
      push(plan, constraint)
      output.mark = mark
      add_consuming(output, todo)
    end
  end
  return plan
end

function Planner:plan_from(constraints)
  local sources = {}
  for _, constraint in ipairs(constraints) do
    if constraint.is_input and constraint.satisfied then
      push(sources, constraint)
    end
  end
  return self:make_plan(sources)
end

local function execute(plan)
  for _, constraint in ipairs(plan) do
    constraint:execute()
  end
end

-- Gives the variable a value by a constraint of its own.
function Planner:change(variable, value)
  local edit = Edit.new(self, variable, PREFERRED)
  local plan = self:plan_from({edit})
  for _ = 1, 10 do
    variable.value = value
    execute(plan)
  end
  edit:remove()
end

-- A chain of equal variables: the value of the first reaches the last.
local function chain(length)
  local planner = Planner.new()
  local first = new_variable(0)
  local last = first
  for _ = 1, length do
    local next = new_variable(0)
    Equal.new(planner, last, next, REQUIRED)
    last = next
  end
  Stay.new(planner, last, DEFAULT)
  local edit = Edit.new(planner, first, PREFERRED)
  local plan = planner:plan_from({edit})
  local sum = 0
  for value = 0, 99 do
    first.value = value
    execute(plan)
    assert(last.value == value)
    sum = sum + value
  end
  edit:remove()
  return sum
end

-- Pairs of variables, all related by one scale and one offset, which are changed in turn.
local function projection(length)
  local planner = Planner.new()
  local scale = new_variable(10)
  local offset = new_variable(1000)
  local targets = {}
  local source, target
  for i = 0, length - 1 do
    source = new_variable(i)
    target = new_variable(i)
    targets[i] = target
    Stay.new(planner, source, DEFAULT)
    Scale.new(planner, source, scale, offset, target, REQUIRED)
  end
  planner:change(source, 17)
  assert(target.value == 1170)
  planner:change(target, 1050)
  assert(source.value == 5)
  planner:change(scale, 5)
  local sum = 0
  for i = 0, length - 2 do
    assert(targets[i].value == i * 5 + 1000)
    sum = sum + targets[i].value
  end
  planner:change(offset, 2000)
  for i = 0, length - 2 do
    assert(targets[i].value == i * 5 + 2000)
    sum = sum + targets[i].value
  end
  return sum
end

local function main(rounds, length, expected)
  for round = 0, rounds - 1 do
    assert(chain(length) + projection(length) == expected)
    print(round)
  end
end

main(150, 500, 2744460)
