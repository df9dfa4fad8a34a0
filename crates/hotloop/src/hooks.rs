//! What an embedder hears of the JIT's work (RPython's `JitHookInterface`).

use std::fmt;

/// What is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TraceKind {
    /// A loop.
    Loop,
    /// A function, from its entry.
    Entry,
    /// What follows the failures of the guard with this number.
    Bridge(u32),
}

/// A trace about to be compiled, or compiled.
pub struct TraceInfo<'a> {
    /// Where it starts, as `Interpreter::describe` says.
    pub place: &'a str,
    /// What it is.
    pub kind: TraceKind,
    /// Operations that were recorded.
    pub recorded_ops: usize,
    /// Operations that the optimizer left.
    pub ops: usize,
    /// Guards among them.
    pub guards: usize,
    /// Bytes of machine code; 0 before there is any, and without a native backend.
    pub code_bytes: usize,
    /// The optimised trace, to be printed.
    pub trace: &'a dyn fmt::Display,
}

/// A recording that was given up.
#[derive(Clone, Copy, Debug)]
pub struct AbortInfo<'a> {
    /// Where it started.
    pub place: &'a str,
    /// What it was to be.
    pub kind: TraceKind,
    /// Why, in words.
    pub reason: &'a str,
}

/// A guard that failed and has no bridge.
#[derive(Clone, Copy, Debug)]
pub struct ExitInfo<'a> {
    /// The instruction in which it stands.
    pub place: &'a str,
    /// Its number.
    pub guard: u32,
    /// How often it has failed.
    pub failures: u32,
}

/// Called at stages of the JIT's work, between instructions. They may change parameters
/// (`Runtime::set_param`), but must not run the machine.
#[allow(unused_variables)]
pub trait JitHooks {
    /// A trace was optimised and goes to the code generator.
    fn before_compile(&self, trace: &TraceInfo<'_>) {}
    /// It was compiled.
    fn after_compile(&self, trace: &TraceInfo<'_>) {}
    /// A recording was given up.
    fn on_abort(&self, abort: &AbortInfo<'_>) {}
    /// Compiled code was left for the interpreter.
    fn on_side_exit(&self, exit: &ExitInfo<'_>) {}
}
