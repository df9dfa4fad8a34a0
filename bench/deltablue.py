# deltablue.pyl in Python.
REQUIRED, PREFERRED, DEFAULT, WEAKEST = 0, 2, 4, 6


class Variable:
    def __init__(self, value):
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0
        self.strength = WEAKEST
        self.stay = True


class Constraint:
    is_input = False

    def __init__(self, planner, strength, variables):
        self.planner = planner
        self.strength = strength
        self.variables = variables
        self.satisfied = False
        for variable in variables:
            variable.constraints.append(self)
        planner.incremental_add(self)

    def remove_from_graph(self):
        for variable in self.variables:
            variable.constraints.remove(self)
        self.satisfied = False

    def remove(self):
        if self.satisfied:
            self.planner.incremental_remove(self)
        else:
            self.remove_from_graph()

    # Satisfies the constraint if it can be; gives the weaker constraint that it replaces.
    def satisfy(self, mark):
        self.choose_method(mark)
        if not self.satisfied:
            assert self.strength != REQUIRED
            return None
        self.mark_inputs(mark)
        output = self.output()
        replaced = output.determined_by
        if replaced is not None:
            replaced.satisfied = False
        output.determined_by = self
        assert self.planner.add_propagate(self, mark)
        output.mark = mark
        return replaced


# A constraint on one variable.
class Unary(Constraint):
    def __init__(self, planner, variable, strength):
        self.variable = variable
        Constraint.__init__(self, planner, strength, (variable,))

    def choose_method(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength < self.variable.strength

    def mark_inputs(self, mark):
        pass

    def inputs_known(self, mark):
        return True

    def output(self):
        return self.variable

    def recalculate(self):
        variable = self.variable
        variable.strength = self.strength
        variable.stay = not self.is_input
        if variable.stay:
            self.execute()

    def execute(self):
        pass


class Stay(Unary):
    pass


class Edit(Unary):
    is_input = True


# A constraint between two variables; `forward` says which of them it computes.
class Binary(Constraint):
    def __init__(self, planner, strength, variables):
        self.one, self.two = variables[:2]
        self.forward = True
        Constraint.__init__(self, planner, strength, variables)

    def choose_method(self, mark):
        one, two = self.one, self.two
        if one.mark == mark:
            self.choose(True, two.mark != mark and self.strength < two.strength)
        elif two.mark == mark:
            self.choose(False, self.strength < one.strength)
        elif two.strength < one.strength:
            self.choose(False, self.strength < one.strength)
        else:
            self.choose(True, self.strength < two.strength)

    def choose(self, forward, satisfied):
        self.forward = forward
        self.satisfied = satisfied

    def input(self):
        return self.one if self.forward else self.two

    def output(self):
        return self.two if self.forward else self.one

    def mark_inputs(self, mark):
        self.input().mark = mark

    def inputs_known(self, mark):
        input = self.input()
        return input.mark == mark or input.stay or input.determined_by is None

    def recalculate(self):
        input, output = self.input(), self.output()
        output.strength = max(self.strength, input.strength)
        output.stay = input.stay
        if output.stay:
            self.execute()


class Equal(Binary):
    def __init__(self, planner, one, two, strength):
        Binary.__init__(self, planner, strength, (one, two))

    def execute(self):
        self.output().value = self.input().value


# two = one * scale + offset
class Scale(Binary):
    def __init__(self, planner, one, scale, offset, two, strength):
        self.scale = scale
        self.offset = offset
        Binary.__init__(self, planner, strength, (one, two, scale, offset))

    def mark_inputs(self, mark):
        Binary.mark_inputs(self, mark)
        self.scale.mark = mark
        self.offset.mark = mark

    def execute(self):
        if self.forward:
            self.two.value = self.one.value * self.scale.value + self.offset.value
        else:
            self.one.value = (self.two.value - self.offset.value) // self.scale.value

    def recalculate(self):
        input, output = self.input(), self.output()
        output.strength = max(self.strength, input.strength)
        output.stay = input.stay and self.scale.stay and self.offset.stay
        if output.stay:
            self.execute()


class Planner:
    def __init__(self):
        self.mark = 0

    def new_mark(self):
        self.mark += 1
        return self.mark

    def incremental_add(self, constraint):
        mark = self.new_mark()
        replaced = constraint.satisfy(mark)
        while replaced is not None:
            replaced = replaced.satisfy(mark)

    def incremental_remove(self, constraint):
        output = constraint.output()
        constraint.satisfied = False
        constraint.remove_from_graph()
        unsatisfied = self.remove_propagate(output)
        for strength in range(REQUIRED, WEAKEST + 1):
            for other in unsatisfied:
                if other.strength == strength:
                    self.incremental_add(other)

    # Recomputes what follows from the constraint; not if it leads back to itself.
    def add_propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            next = todo.pop()
            if next.output().mark == mark:
                self.incremental_remove(constraint)
                return False
            next.recalculate()
            self.add_consuming(next.output(), todo)
        return True

    # Frees the variable and what follows from it; gives the constraints that might be satisfied now.
    def remove_propagate(self, output):
        output.determined_by = None
        output.strength = WEAKEST
        output.stay = True
        unsatisfied = []
        todo = [output]
        while todo:
            variable = todo.pop()
            for constraint in variable.constraints:
                if not constraint.satisfied:
                    unsatisfied.append(constraint)
            determining = variable.determined_by
            for next in variable.constraints:
                if next is not determining and next.satisfied:
                    next.recalculate()
                    todo.append(next.output())
        return unsatisfied

    def add_consuming(self, variable, found):
        determining = variable.determined_by
        for constraint in variable.constraints:
            if constraint is not determining and constraint.satisfied:
                found.append(constraint)

    # The constraints to execute, in order, after the sources have changed.
    def make_plan(self, sources):
        mark = self.new_mark()
        plan = []
        todo = sources
        while todo:
            constraint = todo.pop()
            output = constraint.output()
            if output.mark != mark and constraint.inputs_known(mark):
                plan.append(constraint)
                output.mark = mark
                self.add_consuming(output, todo)
        return plan

    def plan_from(self, constraints):
        sources = []
        for constraint in constraints:
            if constraint.is_input and constraint.satisfied:
                sources.append(constraint)
        return self.make_plan(sources)

    # Gives the variable a value by a constraint of its own.
    def change(self, variable, value):
        edit = Edit(self, variable, PREFERRED)
        plan = self.plan_from([edit])
        for _ in range(10):
            variable.value = value
            for constraint in plan:
                constraint.execute()
        edit.remove()


# A chain of equal variables: the value of the first reaches the last.
def chain(length):
    planner = Planner()
    variables = [Variable(0) for _ in range(length + 1)]
    for i in range(length):
        Equal(planner, variables[i], variables[i + 1], REQUIRED)
    Stay(planner, variables[length], DEFAULT)
    edit = Edit(planner, variables[0], PREFERRED)
    plan = planner.plan_from([edit])
    sum = 0
    for value in range(100):
        variables[0].value = value
        for constraint in plan:
            constraint.execute()
        assert variables[length].value == value
        sum += value
    edit.remove()
    return sum


# Pairs of variables, all related by one scale and one offset, which are changed in turn.
def projection(length):
    planner = Planner()
    scale = Variable(10)
    offset = Variable(1000)
    targets = []
    for i in range(length):
        source = Variable(i)
        target = Variable(i)
        targets.append(target)
        Stay(planner, source, DEFAULT)
        Scale(planner, source, scale, offset, target, REQUIRED)
    planner.change(source, 17)
    assert target.value == 1170
    planner.change(target, 1050)
    assert source.value == 5
    planner.change(scale, 5)
    sum = 0
    for i in range(length - 1):
        assert targets[i].value == i * 5 + 1000
        sum += targets[i].value
    planner.change(offset, 2000)
    for i in range(length - 1):
        assert targets[i].value == i * 5 + 2000
        sum += targets[i].value
    return sum


def main(rounds, length, expected):
    for round in range(rounds):
        assert chain(length) + projection(length) == expected
        print(round)


main(150, 500, 2744460)
