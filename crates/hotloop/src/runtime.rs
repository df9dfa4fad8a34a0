//! What a running interpreter needs besides itself: heap, limits, options, the poll flag. All of it hangs
//! on this explicit context; nothing is global.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_codegen::{Context, Poll};
use hotloop_gc::{Heap, HeapOptions, Plan, Request};
use hotloop_log::Log;

use crate::Plain;
use crate::driver::Suspend;
use crate::foreign::Foreign;
use crate::heap::{HeapType, Stored};
use crate::hooks::JitHooks;
use crate::red::{ConstObject, ConstValue, Value};

/// A collection left the heap over its limit.
const POLL_HEAP: u32 = 1;
/// The user asked to stop.
pub(crate) const POLL_USER: u32 = 2;
/// Another interpreter's thread wants to collect.
pub(crate) const POLL_STOP: u32 = 4;

/// Smaller objects need not be asked for: there is so much room above the limit.
const LARGE: usize = 1 << 20;

/// Limits and parameters.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Most bytes of live objects; `None`: what the machine has.
    pub heap_limit: Option<usize>,
    /// Collect at every n-th allocation (for tests).
    pub gc_stress: Option<u32>,
    /// The n-th allocation, counted from 1, finds the heap over its limit (for tests).
    pub gc_fail: Option<u64>,
    /// Verify the heap before each collection (for tests).
    pub gc_verify: bool,
    /// Bytes that a small heap allocates between two collections; `None`: 16 MB.
    pub gc_nursery: Option<usize>,
    /// How garbage is collected: for the whole process, so the first runtime's (or
    /// [`Runtime::prepare`]'s) counts.
    pub gc_plan: Option<Plan>,
    /// Whether programs must not reach C, files, the environment or anything else outside of the language:
    /// [`Runtime::foreign`] then refuses, and languages keep their modules from it.
    pub sandbox: bool,
    /// The JIT's parameters.
    pub jit: JitOptions,
}

/// The JIT's parameters, with RPython's names and defaults where they mean the same.
#[derive(Clone, Copy, Debug)]
pub struct JitOptions {
    /// Whether to compile at all.
    pub enabled: bool,
    /// Back edges until a loop is traced.
    pub threshold: u32,
    /// Calls of a function until its entry is traced.
    pub function_threshold: u32,
    /// Failures of a guard until a bridge is traced.
    pub trace_eagerness: u32,
    /// Most operations of a recorded trace.
    pub trace_limit: u32,
    /// Recursive calls of one function that are inlined.
    pub max_unroll_recursion: u32,
    /// Whether calls are inlined.
    pub inlining: bool,
    /// Recorded loops of more operations are not peeled.
    pub disable_unrolling: u32,
    /// Other versions of one loop: for values of other types than it was recorded with, or other promoted constants.
    pub retrace_limit: u32,
    /// Recordings of one loop or guard that may fail before it is left alone.
    pub max_aborts: u32,
    /// Most bridges of one loop.
    pub max_bridges: u32,
    /// Most bridges of one loop from guards of one instruction: how many values of a promoted one, or ways to
    /// get there, have code of their own.
    pub max_chain: u32,
    /// Recordings until a loop that is not entered any more is freed.
    pub loop_longevity: u32,
    /// Most bytes of machine code at a time; beyond that the oldest is freed, or nothing is compiled.
    pub max_code: u32,
    /// Whether the optimizer runs (resume data is always made).
    pub optimize: bool,
    /// Whether loops are peeled.
    pub unroll: bool,
    /// Whether traces run as machine code, or by reference evaluation.
    pub native: bool,
    /// Test mode: guard number and at which execution it fails although it holds.
    pub force: Option<(u32, u64)>,
    /// Test mode: every k-th executed guard fails.
    pub force_every: Option<u64>,
    /// Test mode: at every k-th attempt there is no room for code.
    pub fail_code: Option<u32>,
    /// Test mode: this rule of replay is broken on purpose.
    pub break_rule: Option<u32>,
    /// Writes `/tmp/perf-PID.map`, in which `perf` looks up the names of compiled code.
    pub perf_map: bool,
    /// Whether what the language's author promises is put to the test: each step and what native functions
    /// declare, while the program runs and again later. Slow.
    pub check_hints: bool,
}

impl Default for JitOptions {
    fn default() -> JitOptions {
        JitOptions {
            enabled: true,
            threshold: 1039,
            function_threshold: 1619,
            trace_eagerness: 200,
            trace_limit: 6000,
            max_unroll_recursion: 1,
            inlining: true,
            disable_unrolling: u32::MAX,
            retrace_limit: 50,
            max_aborts: 8,
            max_bridges: 100,
            max_chain: 100,
            loop_longevity: 1000,
            max_code: 64 << 20,
            optimize: true,
            unroll: true,
            native: cfg!(all(target_arch = "x86_64", target_os = "linux")),
            force: None,
            force_every: None,
            fail_code: None,
            break_rule: None,
            perf_map: false,
            check_hints: false,
        }
    }
}

/// A `--jit` parameter that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for OptionsError {}

/// A parameter that may change while a program runs.
enum Knob {
    Number(fn(&mut JitOptions) -> &mut u32),
    Flag(fn(&mut JitOptions) -> &mut bool),
}

/// RPython's names where they mean the same.
const KNOBS: &[(&str, Knob)] = &[
    ("enabled", Knob::Flag(|jit| &mut jit.enabled)),
    ("threshold", Knob::Number(|jit| &mut jit.threshold)),
    ("function_threshold", Knob::Number(|jit| &mut jit.function_threshold)),
    ("trace_eagerness", Knob::Number(|jit| &mut jit.trace_eagerness)),
    ("trace_limit", Knob::Number(|jit| &mut jit.trace_limit)),
    ("inlining", Knob::Flag(|jit| &mut jit.inlining)),
    ("max_unroll_recursion", Knob::Number(|jit| &mut jit.max_unroll_recursion)),
    ("disable_unrolling", Knob::Number(|jit| &mut jit.disable_unrolling)),
    ("retrace_limit", Knob::Number(|jit| &mut jit.retrace_limit)),
    ("max_aborts", Knob::Number(|jit| &mut jit.max_aborts)),
    ("max_bridges", Knob::Number(|jit| &mut jit.max_bridges)),
    ("max_chain", Knob::Number(|jit| &mut jit.max_chain)),
    ("loop_longevity", Knob::Number(|jit| &mut jit.loop_longevity)),
    ("optimize", Knob::Flag(|jit| &mut jit.optimize)),
    ("unroll", Knob::Flag(|jit| &mut jit.unroll)),
];

/// Parameters that are fixed when the machine is made.
const FIXED: &[&str] =
    &["backend", "max_code", "force", "force_every", "fail_code", "perf_map", "check_hints", "break_rule"];

fn knob(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|(known, _)| *known == name).map(|(_, knob)| knob)
}

fn no_parameter(name: &str) -> OptionsError {
    let names: Vec<&str> = KNOBS.iter().map(|(name, _)| *name).chain(["enable_opts"]).collect();
    let (names, fixed) = (names.join(", "), FIXED.join(", "));
    OptionsError(format!("--jit: no parameter `{name}`; there are: off, default, {names}, {fixed}"))
}

impl JitOptions {
    /// Sets parameters from `name=value,…`; `off` and `default` are allowed, too.
    ///
    /// ```
    /// let mut jit = hotloop::JitOptions::default();
    /// jit.parse("threshold=3,backend=eval").unwrap();
    /// assert_eq!(jit.threshold, 3);
    /// assert!(jit.parse("treshold=3").unwrap_err().to_string().contains("treshold"));
    /// ```
    ///
    /// # Errors
    /// An unknown name or a value that does not fit; the message lists the valid ones.
    pub fn parse(&mut self, text: &str) -> Result<(), OptionsError> {
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match item.split_once('=') {
                Some((name, value)) => self.set(name, value)?,
                None if item == "off" => self.enabled = false,
                None if item == "default" => self.reset(|_| true),
                None => self.set(item, "")?,
            }
        }
        Ok(())
    }

    /// Sets these parameters to their defaults.
    fn reset(&mut self, which: impl Fn(&str) -> bool) {
        let mut default = JitOptions::default();
        for (_, knob) in KNOBS.iter().filter(|(name, _)| which(name)) {
            match knob {
                Knob::Number(number) => *number(self) = *number(&mut default),
                Knob::Flag(flag) => *flag(self) = *flag(&mut default),
            }
        }
    }

    /// Sets one parameter.
    fn set(&mut self, name: &str, value: &str) -> Result<(), OptionsError> {
        let bad = |expected: &str| OptionsError(format!("--jit {name}: `{value}` is not {expected}"));
        let number = || value.parse::<u32>().map_err(|_| bad("a whole number below 2^32"));
        let flag = || match value {
            "" | "1" | "on" => Ok(true),
            "0" | "off" => Ok(false),
            _ => Err(bad("0 or 1")),
        };
        match knob(name) {
            Some(Knob::Number(field)) => {
                *field(self) = number()?;
                return Ok(());
            }
            Some(Knob::Flag(field)) => {
                *field(self) = flag()?;
                return Ok(());
            }
            None => {}
        }
        match name {
            "enable_opts" => (self.optimize, self.unroll) = passes(value).ok_or_else(|| bad(PASSES))?,
            "check_hints" => self.check_hints = flag()?,
            "break_rule" => self.break_rule = Some(number()?),
            "max_code" => self.max_code = number()?,
            "perf_map" => self.perf_map = flag()?,
            "fail_code" => self.fail_code = Some(number()?).filter(|k| *k > 0),
            "backend" => {
                self.native = match value {
                    "x64" => true,
                    "eval" => false,
                    _ => return Err(bad("`x64` or `eval`")),
                }
            }
            "force" => {
                let pair = value.split_once(':').and_then(|(g, n)| Some((g.parse().ok()?, n.parse().ok()?)));
                self.force = Some(pair.ok_or_else(|| bad("GUARD:EXECUTION"))?);
            }
            "force_every" => {
                self.force_every =
                    Some(value.parse().ok().filter(|k| *k > 0).ok_or_else(|| bad("a whole number"))?)
            }
            _ => return Err(no_parameter(name)),
        }
        Ok(())
    }
}

const PASSES: &str =
    "`all`, nothing, or RPython's list with or without `unroll`: passes can't be chosen singly";

/// Optimizer and peeling, as RPython's `enable_opts` says.
fn passes(value: &str) -> Option<(bool, bool)> {
    const ALL: [&str; 8] =
        ["intbounds", "rewrite", "virtualize", "string", "pure", "earlyforce", "heap", "unroll"];
    if value == "all" {
        return Some((true, true));
    }
    let named: Vec<&str> = value.split(':').filter(|name| !name.is_empty()).collect();
    let has = |name: &str| named.contains(&name);
    let known = named.iter().all(|name| ALL.contains(name));
    let all = ALL[..7].iter().all(|name| has(name));
    match (known, all, named.is_empty()) {
        (_, _, true) => Some((false, false)),
        (true, true, _) => Some((true, has("unroll"))),
        _ => None,
    }
}

/// Stops a running program from another thread or a signal handler.
#[derive(Clone, Copy, Debug)]
pub struct Interrupter(&'static Poll);

impl Interrupter {
    /// The program stops at its next poll: the next back edge or call.
    pub fn interrupt(&self) {
        self.0.request(POLL_USER);
    }

    /// Whether an interrupt waits for its answer: for native functions that take long.
    ///
    /// ```
    /// use hotloop::prelude::*;
    ///
    /// let runtime = Runtime::new(Options::default());
    /// assert!(!runtime.interrupter().is_asked());
    /// runtime.interrupter().interrupt();
    /// assert!(runtime.interrupter().is_asked());
    /// ```
    pub fn is_asked(&self) -> bool {
        self.0.flag.load(Ordering::Relaxed) & POLL_USER != 0
    }

    /// An interrupt that nothing has answered yet is forgotten: it came when the program had just ended, or a native
    /// function has answered it.
    pub fn clear(&self) {
        answer(self.0, POLL_USER);
    }
}

/// Requests that somebody else has answered are forgotten.
fn answer(poll: &Poll, bits: u32) {
    poll.flag.fetch_and(!bits, Ordering::SeqCst);
    poll.rearm();
}

/// The context of one interpreter: its heap, its options, its log. Not `Send`: an interpreter, its heap and
/// its traces belong to one thread.
pub struct Runtime {
    heap: Heap,
    context: &'static Context,
    options: Options,
    /// The JIT's parameters as they are now.
    jit: Cell<JitOptions>,
    hooks: RefCell<Option<Rc<dyn JitHooks>>>,
    log: RefCell<Log>,
    constants: Rc<RefCell<Vec<u64>>>,
    suspend: Suspend,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Runtime {
    /// The permission to call C and to touch memory outside the heap, unless the options refuse it.
    pub fn foreign(&self) -> Option<Foreign> {
        Foreign::allowed(&self.options)
    }

    /// Starts what a heap needs on another thread, and returns at once. A program that first reads its
    /// source calls this before; and before it has other threads, in which case compiled loops begin without a fence.
    pub fn prepare(options: &Options) {
        hotloop_codegen::prepare();
        if let Some(plan) = options.gc_plan {
            hotloop_gc::choose(plan);
        }
        hotloop_gc::prepare();
    }

    /// Makes a heap and what else a program needs, on the thread that will run it: a thread has one at a
    /// time. Runtimes of several threads share memory, and a collection of one waits for all: until they
    /// come to a back edge, a call or an allocation, or if they are in a call that [`Runtime::blocking`]
    /// makes.
    pub fn new(options: Options) -> Runtime {
        hotloop_codegen::prepare();
        if let Some(plan) = options.gc_plan {
            hotloop_gc::choose(plan);
        }
        let heap = Heap::new(HeapOptions {
            limit_bytes: options.heap_limit,
            stress: options.gc_stress,
            fail_at: options.gc_fail,
            verify: options.gc_verify,
            nursery_bytes: options.gc_nursery,
        });
        let constants: Rc<RefCell<Vec<u64>>> = Rc::default();
        let rooted = constants.clone();
        heap.add_roots(Box::new(move |visit| {
            // Borrowed only while a constant is added, which does not allocate.
            if let Ok(words) = rooted.try_borrow() {
                words.iter().for_each(|word| visit(*word));
            }
        }));
        let context = crate::driver::context(&heap);
        let poll = &context.poll;
        heap.set_request(Box::new(move |what| {
            poll.request(match what {
                Request::OverLimit => POLL_HEAP,
                Request::Stop => POLL_STOP,
            });
        }));
        Runtime {
            heap,
            context,
            jit: Cell::new(options.jit),
            hooks: RefCell::new(None),
            options,
            log: RefCell::new(Log::off()),
            constants,
            suspend: Suspend::new(),
        }
    }

    /// Where events of the JIT go.
    pub fn set_log(&self, log: Log) {
        *self.log.borrow_mut() = log;
    }

    pub(crate) fn log(&self) -> std::cell::RefMut<'_, Log> {
        self.log.borrow_mut()
    }

    /// The heap.
    #[inline(always)]
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The JIT's parameters as they are now.
    pub fn jit(&self) -> JitOptions {
        self.jit.get()
    }

    /// Changes a parameter of the JIT while programs run (RPython's `set_param`): what is compiled from now on
    /// goes by it. Counters that have begun keep what they began with.
    ///
    /// ```
    /// # let runtime = hotloop::Runtime::new(hotloop::Options::default());
    /// runtime.set_param("threshold", 100).unwrap();
    /// assert_eq!(runtime.jit().threshold, 100);
    /// runtime.set_param_to_default("threshold").unwrap();
    /// assert_eq!(runtime.jit().threshold, 1039);
    /// assert!(runtime.set_param("backend", "eval").unwrap_err().to_string().contains("fixed"));
    /// ```
    ///
    /// # Errors
    /// An unknown name, one that is fixed once a machine was made, or a value that does not fit.
    pub fn set_param(&self, name: &str, value: impl fmt::Display) -> Result<(), OptionsError> {
        if FIXED.contains(&name) {
            return Err(OptionsError(format!("{name} is fixed when the machine is made")));
        }
        let mut jit = self.jit.get();
        jit.set(name, &value.to_string())?;
        self.jit.set(jit);
        Ok(())
    }

    /// Sets a parameter to its default.
    ///
    /// # Errors
    /// An unknown name.
    pub fn set_param_to_default(&self, name: &str) -> Result<(), OptionsError> {
        knob(name).ok_or_else(|| no_parameter(name))?;
        let mut jit = self.jit.get();
        jit.reset(|known| known == name);
        self.jit.set(jit);
        Ok(())
    }

    /// From now on the JIT tells these hooks what it does; `None`: nobody.
    pub fn set_hooks(&self, hooks: Option<Rc<dyn JitHooks>>) {
        *self.hooks.borrow_mut() = hooks;
    }

    pub(crate) fn hooks(&self) -> Option<Rc<dyn JitHooks>> {
        self.hooks.borrow().clone()
    }

    pub(crate) fn context(&self) -> &'static Context {
        self.context
    }

    #[inline(always)]
    pub(crate) fn poll(&self) -> &'static AtomicU32 {
        &self.context.poll.flag
    }

    /// A handle that stops the program.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(&self.context.poll)
    }

    /// Calls `work`, which may wait for something or take long, while programs of other threads go on
    /// collecting their garbage. For residual functions that block.
    ///
    /// `work` can't use heap objects: it is given nothing to reach them with, as it must be [`Send`] and
    /// neither runtimes nor heap references are.
    ///
    /// ```compile_fail
    /// # use hotloop::{Options, Runtime};
    /// let runtime = Runtime::new(Options::default());
    /// runtime.blocking(|| runtime.heap().collect());
    /// ```
    pub fn blocking<T>(&self, work: impl FnOnce() -> T + Send) -> T {
        // SAFETY: the closure has no access to the heap, its references, or what this thread's root scanners
        // read (which is behind `Rc`).
        unsafe { self.heap.blocking(work) }
    }

    /// Calls `work`, which uses the heap, in the middle of what [`Runtime::blocking`] waits for: for functions that C
    /// calls back. Elsewhere it is just called.
    ///
    /// ```
    /// # let runtime = hotloop::Runtime::new(hotloop::Options::default());
    /// assert_eq!(runtime.unblocked(|| 1 + 1), 2);
    /// ```
    pub fn unblocked<T>(&self, work: impl FnOnce() -> T) -> T {
        self.heap.unblocked(work)
    }

    /// Suspends the native stack that the calling native was reached on, until somebody resumes it
    /// ([`Stacks::resume`](crate::Stacks::resume)). False at once if that is none of [`Stacks`](crate::Stacks).
    ///
    /// Meanwhile the interpreter runs elsewhere, as if the native had called it. Hold no borrow across it.
    ///
    /// ```
    /// let runtime = hotloop::Runtime::new(hotloop::Options::default());
    /// assert!(!runtime.leave_stack(), "the thread's own stack can't be left");
    /// ```
    pub fn leave_stack(&self) -> bool {
        let how = self.suspend.how.get();
        if how.is_null() {
            return false;
        }
        // Steps look at frames without asking.
        crate::frames::force_all();
        self.suspend.at.set((&raw const how).addr());
        // SAFETY: the stack that runs says how it is suspended, and this is that one; it goes on below this call.
        // The base does not matter: who goes on has one of its own.
        unsafe { self.heap.leave_stack(std::ptr::null(), || (*how).suspend(())) };
        self.suspend.how.set(how);
        true
    }

    /// How the native stack that runs is suspended.
    pub(crate) fn suspend(&self) -> &Suspend {
        &self.suspend
    }

    /// Whether the native stack has room for a run of the interpreter, for natives that begin one.
    pub fn has_stack_room(&self) -> bool {
        let here = 0u8;
        self.context.poll.is_within_limit((&raw const here).addr())
    }

    /// Keeps a value alive for ever, as a constant for green data.
    pub fn constant(&self, value: Value<Plain>) -> ConstValue {
        self.constants.borrow_mut().push(value.raw());
        ConstValue(value.raw())
    }

    /// Keeps an object alive for ever, as a constant of its type for green data.
    pub fn constant_object<T: HeapType<Plain> + Stored<Plain>>(&self, object: T) -> ConstObject<T> {
        self.constant(Value::from_object(object));
        ConstObject::new(object)
    }

    /// Whether an object of so many bytes still fits; ask before making large ones. May collect.
    ///
    /// ```
    /// use hotloop::prelude::*;
    ///
    /// let runtime = Runtime::new(Options { heap_limit: Some(100 << 20), ..Options::default() });
    /// assert!(runtime.try_reserve(50 << 20));
    /// assert!(!runtime.try_reserve(200 << 20));
    /// ```
    pub fn try_reserve(&self, bytes: usize) -> bool {
        if bytes < LARGE || !self.heap.exceeds_limit(bytes) {
            return true;
        }
        // Not everything need be alive that was made since the last collection.
        self.heap.collect();
        let fits = !self.heap.exceeds_limit(bytes);
        if !fits {
            // The caller tells the program, which need not hear it again from the collection.
            answer(&self.context.poll, POLL_HEAP);
        }
        fits
    }
}
