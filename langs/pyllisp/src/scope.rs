//! What each name means.
//!
//! A name that a function binds anywhere with `=` is a variable of that function, but until the
//! first `=` has run, reading it means the variable of the next scope out. So a use of a name has
//! *candidates*: the variables of that name in the functions around it, innermost first, up to the
//! first that certainly has a value; after them the module.
//!
//! Which variable certainly has a value is a forward pass over the tree. Variables never lose their
//! value, so a loop needs no second look: at its head is known what was known before it, and a body
//! that may not run adds nothing. A closure knows of the functions around it what is known where it
//! is made.
//!
//! What it keeps true: a candidate that is not the last may be unset when it is read; the last one
//! may be unset only if the module follows.

use std::collections::HashMap;
use std::rc::Rc;

use crate::ast::{Block, Expr, ExprKind, Function, Name, Program, Target};

/// The meaning of all names of a program.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scopes {
    /// For each use of a name, what it may mean.
    pub uses: Vec<Meaning>,
    /// For each function and each of its locals, whether an inner function uses it.
    pub captured: Vec<Vec<bool>>,
    /// For each function, how many of its locals are parameters.
    pub params: Vec<usize>,
    /// For each function, the function in which it stands; the top level's is itself.
    pub parents: Vec<usize>,
    /// The names that the program may store in its module, and how often: once at a place that runs
    /// once, or else [`OFTEN`].
    pub stored_in_module: HashMap<Rc<str>, u32>,
}

/// More than once, as far as can be seen: at several places, in a loop, or in a function.
pub const OFTEN: u32 = 2;

/// A local variable of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variable {
    /// The function's number.
    pub function: usize,
    /// The variable's number in it.
    pub local: usize,
}

/// What a use of a name may mean.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meaning {
    /// The variables, in the order in which they are tried.
    pub variables: Box<[Variable]>,
    /// Whether the module is tried after them.
    pub module: bool,
}

/// Finds out what each name means.
pub fn resolve(program: &Program) -> Scopes {
    let scopes = Scopes {
        uses: vec![Meaning::default(); program.uses],
        captured: vec![Vec::new(); program.functions],
        params: vec![0; program.functions],
        parents: vec![0; program.functions],
        stored_in_module: HashMap::new(),
    };
    let mut resolver = Resolver { scopes, around: Vec::new() };
    resolver.function(&program.main);
    resolver.scopes
}

struct Resolver<'a> {
    scopes: Scopes,
    /// The functions around the expression at hand, the innermost last.
    around: Vec<Around<'a>>,
}

struct Around<'a> {
    function: &'a Function,
    known: Known,
    /// How many loops of the function are around the expression at hand.
    loops: u32,
}

/// Which variables of a function have a value at a place that its code may reach.
#[derive(Clone)]
struct Known {
    has_value: Vec<bool>,
    reachable: bool,
}

impl Known {
    fn has_value(&self, local: usize) -> bool {
        !self.reachable || self.has_value[local]
    }

    /// What is known where two ways meet.
    fn meet(self, other: Known) -> Known {
        match (self.reachable, other.reachable) {
            (_, false) => self,
            (false, true) => other,
            (true, true) => {
                let both = self.has_value.iter().zip(&other.has_value);
                Known { has_value: both.map(|(one, two)| *one && *two).collect(), reachable: true }
            }
        }
    }
}

impl<'a> Resolver<'a> {
    fn function(&mut self, function: &'a Function) {
        let locals = function.locals.len();
        self.scopes.captured[function.id] = vec![false; locals];
        self.scopes.params[function.id] = function.params;
        if let Some(parent) = self.around.last() {
            self.scopes.parents[function.id] = parent.function.id;
        }
        let has_value = (0..locals).map(|local| local < function.params).collect();
        self.around.push(Around { function, known: Known { has_value, reachable: true }, loops: 0 });
        self.block(&function.body);
        self.around.pop();
    }

    fn known(&mut self) -> &mut Known {
        let last = self.around.len() - 1;
        &mut self.around[last].known
    }

    fn block(&mut self, block: &'a Block) {
        for expr in block {
            self.expr(expr);
        }
    }

    fn exprs(&mut self, exprs: &'a [Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn in_loop(&mut self, change: i32) {
        let last = self.around.len() - 1;
        let loops = &mut self.around[last].loops;
        *loops = loops.saturating_add_signed(change);
    }

    /// A name that is stored in the module where the expression at hand stands.
    fn stored(&mut self, name: &Name) {
        let often = self.around.len() > 1 || self.around.iter().any(|around| around.loops > 0);
        let times = self.scopes.stored_in_module.entry(name.text.clone()).or_default();
        *times = OFTEN.min(*times + if often { OFTEN } else { 1 });
    }

    /// A part that may not be evaluated.
    fn maybe(&mut self, part: impl FnOnce(&mut Self)) {
        let before = self.known().clone();
        part(self);
        let after = std::mem::replace(self.known(), before.clone());
        *self.known() = before.meet(after);
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Literal(_) => {}
            ExprKind::Name(name) => self.used(name),
            ExprKind::Call(callee, args) => {
                self.expr(callee);
                self.exprs(args);
            }
            ExprKind::Operator(operator, operands) => {
                self.used(operator);
                self.exprs(operands);
            }
            ExprKind::Chain { operators, operands, and } => {
                self.used(and);
                self.expr(&operands[0]);
                for (operator, operand) in operators.iter().zip(&operands[1..]) {
                    self.used(operator);
                    self.expr(operand);
                }
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                self.expr(&operands[0]);
                self.maybe(|resolver| resolver.exprs(&operands[1..]));
            }
            ExprKind::Not(not, operand) => {
                self.used(not);
                self.expr(operand);
            }
            ExprKind::List(items) => self.exprs(items),
            ExprKind::Attr(object, _) => self.expr(object),
            ExprKind::Index(object, index) => {
                self.expr(object);
                self.expr(index);
            }
            ExprKind::Assign(target, value) => {
                self.expr(value);
                self.target(target);
            }
            ExprKind::Augment(operator, target, value) => {
                self.expr(value);
                self.used(operator);
                self.target(target);
            }
            ExprKind::Func(function) => self.function(function),
            ExprKind::If(arms, otherwise) => self.if_(arms, otherwise.as_ref()),
            ExprKind::While(condition, body) => {
                self.in_loop(1);
                self.expr(condition);
                self.maybe(|resolver| resolver.block(body));
                self.in_loop(-1);
            }
            ExprKind::For(variable, iterable, body) => {
                self.expr(iterable);
                self.in_loop(1);
                self.maybe(|resolver| {
                    resolver.bound(variable);
                    resolver.block(body);
                });
                self.in_loop(-1);
            }
            ExprKind::Return(value) => {
                self.exprs(value.as_deref().map_or(&[], std::slice::from_ref));
                self.known().reachable = false;
            }
            ExprKind::Yield(value) => self.exprs(value.as_deref().map_or(&[], std::slice::from_ref)),
            ExprKind::Break | ExprKind::Continue => self.known().reachable = false,
            ExprKind::Assert(condition) => self.expr(condition),
            ExprKind::From(object, names) => {
                self.expr(object);
                for name in names {
                    self.bound(name);
                }
            }
            ExprKind::Try(body, name, handler) => {
                // The body may be left at any place.
                let before = self.known().clone();
                self.block(body);
                let after = std::mem::replace(self.known(), before);
                if let Some(name) = name {
                    self.bound(name);
                }
                self.block(handler);
                let handled = self.known().clone();
                *self.known() = after.meet(handled);
            }
            ExprKind::Raise(value) => {
                self.expr(value);
                self.known().reachable = false;
            }
            ExprKind::Class(class) => {
                self.expr(&class.parent);
                for (_, value) in &class.members {
                    self.expr(value);
                }
            }
        }
    }

    fn if_(&mut self, arms: &'a [(Expr, Block)], otherwise: Option<&'a Block>) {
        let mut outcome = Known { reachable: false, ..self.known().clone() };
        for (condition, block) in arms {
            self.expr(condition);
            let not_taken = self.known().clone();
            self.block(block);
            let taken = std::mem::replace(self.known(), not_taken);
            outcome = outcome.meet(taken);
        }
        if let Some(block) = otherwise {
            self.block(block);
        }
        let last = self.known().clone();
        *self.known() = outcome.meet(last);
    }

    fn target(&mut self, target: &'a Target) {
        match target {
            Target::Bound(name) => self.bound(name),
            Target::Stored(name) => {
                self.used(name);
                if self.scopes.uses[name.use_id].module {
                    self.stored(name);
                }
            }
            Target::Attr(object, _) => self.expr(object),
            Target::Index(object, index) => {
                self.expr(object);
                self.expr(index);
            }
        }
    }

    /// A name that the function at hand reads, or stores where it is.
    fn used(&mut self, name: &Name) {
        let innermost = self.around.len() - 1;
        let mut variables = Vec::new();
        let mut module = true;
        for (level, around) in self.around.iter().enumerate().rev() {
            let Some(local) = around.function.locals.iter().position(|local| *local == name.text) else {
                continue;
            };
            let function = around.function.id;
            variables.push(Variable { function, local });
            self.scopes.captured[function][local] |= level < innermost;
            if around.known.has_value(local) {
                module = false;
                break;
            }
        }
        self.scopes.uses[name.use_id] = Meaning { variables: variables.into(), module };
    }

    /// A name that the function at hand binds.
    fn bound(&mut self, name: &Name) {
        let innermost = self.around.len() - 1;
        let Around { function, known, .. } = &mut self.around[innermost];
        let meaning = match function.locals.iter().position(|local| *local == name.text) {
            Some(local) => {
                known.has_value[local] = true;
                let variable = Variable { function: function.id, local };
                Meaning { variables: [variable].into(), module: false }
            }
            None => {
                self.stored(name);
                Meaning { variables: [].into(), module: true }
            }
        };
        self.scopes.uses[name.use_id] = meaning;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{expand, read};

    /// What each use of the name `x` means, in the order of the source: the numbers of the
    /// functions whose variable is tried, `m` for the module.
    fn check(text: &str, expected: &str) {
        let program = expand::expand(&read::read(text).unwrap()).unwrap();
        let scopes = resolve(&program);
        let mut names = Vec::new();
        collect(&program.main, &mut names);
        let shown: Vec<String> = names
            .iter()
            .map(|use_id| {
                let meaning = &scopes.uses[*use_id];
                let mut tried: Vec<String> =
                    meaning.variables.iter().map(|variable| variable.function.to_string()).collect();
                tried.extend(meaning.module.then(|| "m".to_owned()));
                tried.join("|")
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "meaning of x in {text:?}");
    }

    /// The uses of `x`, found by their numbers in the printed tree.
    fn collect(function: &Function, names: &mut Vec<usize>) {
        let shown = format!("{function:?}");
        for (at, found) in shown.match_indices("Name { text: \"x\", use_id: ") {
            let digits: String = shown[at + found.len()..].chars().take_while(char::is_ascii_digit).collect();
            names.push(digits.parse().unwrap());
        }
        names.sort_unstable();
    }

    #[test]
    fn the_top_level_is_the_module() {
        check("x = 1\n(print x)\n(for x x) x", "m m m m m");
    }

    #[test]
    fn before_the_first_assignment_a_name_is_the_outer_one() {
        check("f = (func)\n  (print x)\n  x = 1\n  (print x)", "1|m 1 1");
        check("f = (func x)\n  x = x + 1", "1 1");
        check("f = (func)\n  x += 1", "m");
        check("f = (func)\n  x += 1\n  x = 2\n  x += 1", "1|m 1 1");
    }

    #[test]
    fn branches_and_loops_may_not_run() {
        check("f = (func c)\n  (if c) x = 1\n  x", "1 1|m");
        check("f = (func c)\n  (if c) x = 1\n  (else) x = 2\n  x", "1 1 1");
        check("f = (func c)\n  (if c) x = 1\n  (elif c) (return 2)\n  (else) x = 3\n  x", "1 1 1");
        check("f = (func c)\n  (while c) x = 1\n  x", "1 1|m");
        check("f = (func c)\n  (while c)\n    (if c) (break)\n    x = 1\n    x\n  x", "1 1 1|m");
        check("f = (func c)\n  (for x c) x\n  x", "1 1 1|m");
        check("f = (func c)\n  c and {x = 1} and x\n  x", "1 1 1|m");
        check("f = (func c)\n  (try)\n    x = 1\n    x\n  (except e) x\n  x", "1 1 1|m 1|m");
        check("f = (func c)\n  (try) x = 1\n  (except x) x\n  x", "1 1 1 1");
        check("f = (func c)\n  (try) x = 1\n  (except e) (raise e)\n  x", "1 1");
    }

    #[test]
    fn closures_know_what_is_known_where_they_are_made() {
        check("f = (func)\n  x = 1\n  g = (func) x", "1 1");
        check("f = (func)\n  g = (func) x\n  x = 1", "1|m 1");
        check("f = (func x)\n  g = (func)\n    h = (func) x\n    x = 2", "2|1 2");
        check("f = (func)\n  x = (func) (x)", "1|m 1");
    }

    #[test]
    fn how_often_names_are_stored_in_the_module() {
        let text = "a = 1\nb = 1\nb = 2\n(while a) c = 1\nf = (func) d := 1\n(for e a) 1\n(while {g = 1}) 2";
        let program = expand::expand(&read::read(text).unwrap()).unwrap();
        let mut stored: Vec<_> = resolve(&program).stored_in_module.into_iter().collect();
        stored.sort();
        let shown: Vec<String> = stored.iter().map(|(name, times)| format!("{name}{times}")).collect();
        assert_eq!(shown.join(" "), "a1 b2 c2 d2 e2 f1 g2");
    }

    #[test]
    fn what_inner_functions_use_is_captured() {
        let text = "f = (func a b)\n  c = a\n  d = (func) b + c";
        let program = expand::expand(&read::read(text).unwrap()).unwrap();
        assert_eq!(resolve(&program).captured, [vec![], vec![false, true, true, false], vec![]]);
    }
}
