//! The toolkit against a small language: the same program, with and without traces, at every exit.

mod heap;
mod hints;
mod language;
mod life;
mod mutations;
mod programs;
mod random;
mod run;
mod shapes;
