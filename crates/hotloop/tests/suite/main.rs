//! The toolkit against a small language: the same program, with and without traces, at every exit.

mod budgets;
mod driving;
mod force;
mod heap;
mod hint_shapes;
mod hints;
mod language;
mod life;
mod mutations;
mod programs;
mod random;
mod release;
mod run;
mod shapes;
mod stable;
mod stacks;
