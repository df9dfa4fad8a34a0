//! What traces look like: claims about speed, as tests.

use hotloop::prelude::*;
use hotloop_ir::{Class, Opcode, Trace, parse};
use hotloop_log::Log;
use hotloop_pyllisp::Pyllisp;

/// The optimised traces that running a program makes, in order.
fn traces(name: &str, source: &str) -> Vec<Trace> {
    traces_and_summary(name, &[source]).0
}

/// The same of programs that are run one after the other in one module, as at a prompt.
fn traces_and_summary(name: &str, sources: &[&str]) -> (Vec<Trace>, hotloop::Summary) {
    let file = std::env::temp_dir().join(format!("hotloop-shape-{}-{name}.log", std::process::id()));
    let interp = Pyllisp::new(Options::default(), Box::new(std::io::sink()));
    let section = format!("jit-log-opt:{}", file.display());
    interp.runtime().set_log(Log::parse(&section).expect("a log file can be made"));
    let vm = Vm::new(&interp);
    let module = interp.module("main");
    for source in sources {
        let result = interp.run(&vm, module, source.as_bytes(), false);
        assert!(result.is_ok(), "{:?}", result.err());
    }
    interp.runtime().set_log(Log::off());
    let text = std::fs::read_to_string(&file).expect("the log was written");
    let _ = std::fs::remove_file(&file);
    let begin = "{jit-log-opt\n";
    let traces = text
        .split(begin)
        .skip(1)
        .map(|part| {
            let body = part.split("jit-log-opt}").next().unwrap_or("");
            parse::parse(body).unwrap_or_else(|error| panic!("{error}\n{body}"))
        })
        .collect();
    (traces, vm.summary())
}

/// The operations of the peeled body that do something.
fn body(trace: &Trace) -> Vec<Opcode> {
    let label = trace.label().unwrap_or_else(|| panic!("no peeled loop:\n{trace}"));
    trace.ops[label..].iter().map(|op| op.code).filter(|code| code.class() != Class::Marker).collect()
}

fn check_inner_loop(name: &str, source: &str) {
    let all = traces(name, source);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    let ops = body(last);
    for code in &ops {
        let class = code.class();
        assert!(
            !matches!(class, Class::Alloc | Class::Call | Class::Read | Class::Write),
            "{} in the inner loop:\n{last}",
            code.name()
        );
    }
    let guards = ops.iter().filter(|code| code.is_guard() && **code != Opcode::GuardNoInterrupt).count();
    assert!(guards <= 1, "{guards} guards, the loop's own condition among them:\n{last}");
}

const LOOPS: &str = "\
j = 0
(while j < 5)
    k = 0
    (while k < 30000)
        (assert k + j*k >= 0)
        k += 1
    j += 1
";

#[test]
fn the_seeds_inner_loop_touches_no_memory_at_top_level() {
    check_inner_loop("top", LOOPS);
}

#[test]
fn the_seeds_inner_loop_touches_no_memory_in_a_function() {
    let inside: String = LOOPS.lines().map(|line| format!("    {line}\n")).collect();
    check_inner_loop("func", &format!("f = (func)\n{inside}(f)\n"));
}

#[test]
fn walking_a_linked_list_calls_nothing() {
    let source = "\
main = (func n)
    list = null
    (while n > 0)
        list = [n list]
        n -= 1
    sum = 0
    (while list != null)
        sum += list[0]
        list = list[1]
    (return sum)
(main 20000)
";
    let all = traces("linked", source);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    assert!(!body(last).iter().any(|code| matches!(code.class(), Class::Alloc | Class::Call)), "{last}");
}

/// A trace goes into generators and what they call, and comes round: whose frames they are does not matter.
#[test]
fn generators_that_call_functions_are_part_of_the_loop() {
    let source = "\
upto = (func n)
    i = 0
    (while i < n)
        (yield i)
        i += 1
mapped = (func function source)
    (for item source)
        (yield (function item))
square = (func x)
    (return x * x % 1009)
main = (func n)
    sum = 0
    (for item (mapped square (upto n)))
        sum += item
    (return sum)
(main 20000)
";
    let (all, summary) = traces_and_summary("generators", &[source]);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    assert!(!body(last).iter().any(|code| matches!(code.class(), Class::Alloc | Class::Call)), "{last}");
    assert!(summary.loops == 1 && summary.aborts.is_empty(), "{summary}");
}

#[test]
fn floats_go_round_a_loop_without_tags_and_tests() {
    // Of any magnitude: the last ones grow beyond what fits a tagged word.
    for factor in ["0.5", "0.999"] {
        let source = format!(
            "\
main = (func n)
    x = 1.5
    y = 0.5
    i = 0
    (while i < n)
        x = x * {factor} + y
        y = {{x - y}} * 0.25
        i += 1
    (return x)
(main 20000)
"
        );
        let all = traces("floats", &source);
        let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
        let mut ops = body(last);
        ops.retain(|code| !matches!(code, Opcode::Phi | Opcode::Loop | Opcode::GuardNoInterrupt));
        use Opcode::{FloatAdd, FloatMul, FloatSub, GuardTrue, IntAdd, IntLt};
        assert_eq!(ops, [IntLt, GuardTrue, FloatMul, FloatAdd, FloatSub, FloatMul, IntAdd], "{last}");
    }
}

#[test]
fn floats_of_a_module_go_round_a_loop_without_stores() {
    let source = "\
x = 1.5
i = 0
(while i < 20000)
    x = x * 0.999 + 0.5
    i += 1
";
    let all = traces("module_floats", source);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    none_of(&[(body(last), last.to_string())], &[Class::Write, Class::Read, Class::Alloc, Class::Call]);
    assert!(!body(last).contains(&Opcode::BoxFloat), "{last}");
}

#[test]
fn frames_of_inlined_calls_are_never_allocated() {
    let source = "\
one = (func a b) (return a + b)
two = (func a) (return (one a 1))
three = (func a) (return (two a) * 2)
four = (func a) (return (three a) - 3)
five = (func a) (return (four a))
main = (func n)
    i = 0
    s = 0
    (while i < n)
        s += (five i)
        i += 1
    (return s)
(main 20000)
";
    let all = traces("five", source);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    let ops = body(last);
    assert!(!ops.iter().any(|code| matches!(code.class(), Class::Alloc | Class::Call)), "{last}");
}

/// A global that is read a million times and assigned once: no load, one invalidation.
#[test]
fn a_global_read_costs_no_load_and_its_assignment_one_invalidation() {
    let first = "\
sum = (func n)
    i = 0
    s = 0
    (while i < n)
        s += g
        i += 1
    (return s)
g = 1
(assert (sum 500000) == 500000)
";
    let second = "\
g = 2
(assert (sum 500000) == 1000000)
";
    let (all, summary) = traces_and_summary("global", &[first, second]);
    let loops: Vec<&Trace> = all.iter().filter(|trace| trace.label().is_some()).collect();
    for trace in loops {
        for code in body(trace) {
            let memory = matches!(code.class(), Class::Alloc | Class::Call | Class::Read | Class::Write);
            assert!(!memory && code != Opcode::GuardValid, "{} in the loop:\n{trace}", code.name());
        }
    }
    assert_eq!((summary.loops, summary.invalidated), (2, 1), "{summary}");
}

/// The operations of the bodies of all loops that a program has.
fn bodies(name: &str, source: &str) -> Vec<(Vec<Opcode>, String)> {
    let all = traces(name, source);
    let loops: Vec<_> = all.iter().filter(|trace| trace.label().is_some()).collect();
    assert!(!loops.is_empty(), "a loop was compiled");
    loops.iter().map(|trace| (body(trace), trace.to_string())).collect()
}

fn none_of(bodies: &[(Vec<Opcode>, String)], unwanted: &[Class]) {
    for (ops, text) in bodies {
        let found = ops.iter().find(|code| unwanted.contains(&code.class()) || **code == Opcode::CopyItems);
        assert!(found.is_none(), "{found:?}:\n{text}");
    }
}

#[test]
fn lists_grow_shrink_and_are_walked_without_calls_and_allocations() {
    let source = "\
main = (func n)
    l = []
    i = 0
    s = 0
    (while i < n)
        (l.append i)
        i += 1
    (for x l)
        s += x
    i = 0
    (while i < l.length)
        l[i] = l[i] + 1
        i += 1
    (while l.length > 0)
        s += (l.pop)
    (return s)
(main 20000)
";
    let bodies = bodies("lists", source);
    assert!(bodies.len() >= 4);
    none_of(&bodies, &[Class::Call, Class::Alloc]);
}

#[test]
fn characters_are_compared_without_allocation() {
    let source = "\
main = (func text n)
    i = 0
    s = 0
    (while i < n)
        c = text[i % text.length]
        (if c == \"a\" or c == \" \")
            s += 1
        i += 1
    (for c text)
        (if c != \"b\")
            s += 1
    (return s)
(main \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" 20000)
";
    none_of(&bodies("characters", source), &[Class::Call, Class::Alloc, Class::Write]);
}

/// A key is looked up once for reading its value and writing it.
#[test]
fn a_dictionary_is_searched_once_for_an_update() {
    let source = "\
main = (func n)
    d = (dict)
    i = 0
    (while i < 10)
        d[i] = 0
        i += 1
    i = 0
    (while i < n)
        k = i % 10
        (if (d.contains k))
            d[k] = d[k] + 1
        i += 1
    (return d[3])
(main 20000)
";
    let bodies = bodies("update", source);
    let (ops, text) = bodies.last().expect("a loop");
    assert_eq!(ops.iter().filter(|code| code.class() == Class::Call).count(), 1, "{text}");
}

/// What choosing a method costs is nothing.
#[test]
fn multimethods_choose_while_recording() {
    let source = "\
{*}[[list int]] = (func a n) (return [a[0] * n a[1] * n])
{+}[[list list]] = (func a b) (return [a[0] + b[0] a[1] + b[1]])
area = (multimethod 1)
area[[list]] = (func a) (return a[0] * a[1])
area[[int]] = (func a) (return a)
coerce[[bool str]] = (func a b) (return [a b.length])
main = (func n)
    i = 0
    s = 0
    (while i < n)
        v = [i 1] * 2 + [1 1]
        s += (area v) + (area i) + (min i 7)
        (if v == null or v == main or main == area) s += 1
        s += true + \"text\"
        i += 1
    (return s)
(main 20000)
";
    let bodies = bodies("multimethods", source);
    none_of(&bodies[bodies.len() - 1..], &[Class::Call]);
}

/// Operators that have become the program's own by `=` are called like any function.
#[test]
fn operators_of_the_program_are_inlined() {
    let source = "\
{+} = (func a b) (return a - b)
main = (func n)
    i = 0
    s = 0
    (while i < n)
        s = s + i
        i -= -1
    (return s)
(main 20000)
";
    none_of(&bodies("operators", source), &[Class::Call, Class::Alloc, Class::Read, Class::Write]);
}

/// A module that is known is no table: what never changes is a constant, what does is one place.
#[test]
fn names_of_modules_are_not_looked_up() {
    let source = "\
outer = (module \"outer\")
inner = (module \"inner\" outer)
outer.step = 2
outer.add = (func a b) (return a + b)
inner.total = 0
main = (func n)
    i = 0
    (while i < n)
        inner.total = (inner.add inner.total (getattr inner \"step\"))
        (setattr inner \"last\" i)
        i += 1
    (return inner.total)
(main 20000)
";
    let bodies = bodies("modules", source);
    let (ops, text) = &bodies[bodies.len() - 1];
    none_of(&bodies[bodies.len() - 1..], &[Class::Call, Class::Alloc]);
    assert!(ops.iter().filter(|code| code.class() == Class::Read).count() <= 1, "{text}");
}

/// A function may return in a trace that is recorded while its caller's recording waits for it. That
/// recording ends there: it does not wait while the rest of the program runs, when nothing could be recorded.
#[test]
fn a_callee_that_returned_unseen_is_not_waited_for() {
    let mut options = Options::default();
    options.jit.parse("threshold=1,function_threshold=1,trace_eagerness=1,force_every=1").unwrap();
    let interp = Pyllisp::new(options, Box::new(std::io::sink()));
    let vm = Vm::new(&interp);
    let module = interp.module("main");
    let recursion = "i = 5
f = (func n m)
    d = (dict)
    (if n < 3 or n > 40) (return m)
    i2 = (f n-1 m+1)
    (return i2 % 1000003)
k = 0
(while k < 40)
    k += 1
    (for j (range 8)) (f i % 64 0)
    h = 0
    (while h < 12)
        h += 1
        i = i + h
loops = (func)
";
    let loops: String =
        (0..20).map(|number| format!("    k = 0\n    (while k < 50) k += {}\n", number + 1)).collect();
    let source = format!("{recursion}{loops}(loops)\n");
    let result = interp.run(&vm, module, source.as_bytes(), false);
    assert!(result.is_ok(), "{:?}", result.err());
    let summary = vm.summary();
    assert!(summary.loops > 20, "{summary:?}");
}

/// A bridge that starts in a function which its parent has inlined meets that function's loop. From then on the
/// function is called, and what had inlined it is recorded anew: the loop is not left by an exit in each call.
#[test]
fn a_function_whose_loop_a_bridge_meets_is_called() {
    let source =
        include_str!("../../../bench/storage.pyl").replace("(main 200 8 21845)", "(main 20 8 21845)");
    assert!(source.contains("(main 20 "), "{source}");
    let (_, summary) = traces_and_summary("storage", &[&source]);
    assert!(summary.exits < 10_000, "{summary}");
}

/// A function with a loop is called with four functions, with ints and with floats: each has a loop of its own, in which
/// nothing asks which function that is, nothing is read of the iterator and nothing written to it.
#[test]
fn a_loop_has_a_version_for_each_function_it_is_used_with() {
    let source = "fold = (func f xs start)
    total = start
    (for x xs)
        total = (f total x)
    (return total)
add = (func a b)
    (return a + b)
less = (func a b)
    (return a - b)
most = (func a b)
    (if a < b) (return b)
    (return a)
xs = (list (range 3000))
halves = []
(while halves.length < 3000) (halves.append 0.5)
(for i (range 40))
    (assert (fold add xs 0) == 4498500)
    (assert (fold less xs 0) == 0 - 4498500)
    (assert (fold most xs 0) == 2999)
    (assert (fold add halves 0.0) == 1500.0)
";
    let (all, summary) = traces_and_summary("fold", &[source]);
    let of_the_list = |trace: &&Trace| trace.to_string().contains("ListIterator.index");
    let loops: Vec<&Trace> = all.iter().filter(|trace| trace.label().is_some()).filter(of_the_list).collect();
    assert_eq!(loops.len(), 4, "{summary}");
    for trace in loops {
        let ops = body(trace);
        assert!(!ops.contains(&Opcode::GuardValue), "{trace}");
        assert!(!ops.contains(&Opcode::GetField) && !ops.contains(&Opcode::SetField), "{trace}");
    }
    let bridges = |trace: &&Trace| {
        trace.label().is_none() && trace.ops.last().is_some_and(|op| op.code == Opcode::EnterLabel)
    };
    // `most` has two ways through its loop.
    assert!(all.iter().filter(bridges).count() <= 2, "{summary}");
}

/// Of the words of the state and the frame that live when `fib` returns its sum, the sum alone is handed over. What the
/// function has not changed stays with its caller, and where its frame stands means nothing any more.
#[test]
fn a_function_hands_over_what_it_has_changed() {
    let source = "fib = (func n)
    (if n < 2) (return n)
    (return (fib n-1) + (fib n-2))
(assert (fib 25) == 75025)
";
    let all = traces("results", source);
    let returns: Vec<u32> = all
        .iter()
        .filter_map(|trace| trace.ops.last().filter(|op| op.code == Opcode::Return))
        .map(|op| op.list.len)
        .collect();
    assert!(returns.contains(&0), "`n` is as it was passed: {returns:?}");
    assert!(returns.iter().all(|count| *count <= 1), "words handed over: {returns:?}");
}

/// A pair is one object of four words.
#[test]
fn a_pair_is_one_object() {
    let source = "pairs = (func n)
    made = null
    i = 0
    (while i < n)
        made = [i made]
        i += 1
    (return made)
(assert (pairs 20000)[0] == 19999)
";
    let all = traces("pairs", source);
    let looping = all.iter().find(|trace| trace.label().is_some()).expect("a loop was compiled");
    let made: Vec<String> = looping
        .ops
        .iter()
        .skip(looping.label().unwrap_or(0))
        .filter(|op| matches!(op.code, Opcode::New | Opcode::NewArray))
        .map(|op| op.type_ref().get().name.clone())
        .collect();
    assert_eq!(made, ["List"], "{looping}");
}

/// An item that is read twice is loaded once, at whatever index.
#[test]
fn an_item_is_loaded_once_between_two_stores() {
    let source = "count = (func items)
    found = 0
    i = 0
    (while i < 20000)
        (if items[i % 7] * items[i % 7] > items[i % 7])
            found += 1
        i += 1
    (return found)
(assert (count [1 2 3 4 5 6 7]) == 17142)
";
    let all = traces("items", source);
    let looping = all.iter().find(|trace| trace.label().is_some()).expect("a loop was compiled");
    let loads = body(looping).into_iter().filter(|code| *code == Opcode::GetItem).count();
    assert_eq!(loads, 1, "{looping}");
}

/// Functions of C are called by one instruction: no libffi, nothing is made.
#[test]
fn c_is_called_directly() {
    let source = "\
ffi = (import \"ffi\")
strlen = (ffi.handle (ffi.library null) \"strlen\" (ffi.cfunc ffi.size_t [(ffi.pointer ffi.char)]))
cos = (ffi.handle (ffi.library \"libm.so.6\") \"cos\" (ffi.cfunc ffi.double [ffi.double]))
main = (func n)
    i = 0
    x = 0.0
    (while i < n)
        x = (cos x) + (strlen \"hello\")
        i += 1
    (return x)
(main 20000)
";
    let bodies = bodies("directly", source);
    none_of(&bodies, &[Class::Alloc, Class::Read, Class::Write]);
    let (ops, text) = &bodies[bodies.len() - 1];
    assert_eq!(ops.iter().filter(|code| code.class() == Class::Call).count(), 2, "{text}");
    assert!(text.contains("call \"C [f64] f64\" [") && text.contains("call \"C [u64] u64\" ["), "{text}");
    assert!(ops.iter().filter(|code| code.is_guard()).count() <= 4, "{text}");
}

/// Fields and items of C's memory are a load or a store each, and an index is checked before the loop.
#[test]
fn memory_of_c_is_read_in_place() {
    let source = "\
ffi = (import \"ffi\")
point = (ffi.struct [[\"x\" ffi.int] [\"y\" ffi.double]])
main = (func n)
    items = (ffi.malloc ffi.short n)
    p = (ffi.automem point)
    i = 0
    sum = 0
    (while i < n)
        items[i] = 7
        sum += items[i]
        p.x = 3
        p.y = p.y + 1.0
        i += 1
    (ffi.free items)
    (return sum)
(main 20000)
";
    let bodies = bodies("memory", source);
    none_of(&bodies, &[Class::Alloc, Class::Call]);
    let (ops, text) = &bodies[bodies.len() - 1];
    let count = |wanted: Opcode| ops.iter().filter(|code| **code == wanted).count();
    assert_eq!((count(Opcode::LoadRaw), count(Opcode::StoreRaw)), (2, 3), "{text}");
    let touched = ops.iter().filter(|code| matches!(code.class(), Class::Read | Class::Write)).count();
    assert_eq!(touched, 5, "nothing else is read or written: {text}");
    assert!(ops.iter().filter(|code| code.is_guard()).count() <= 4, "{text}");
}

/// What one path leaves in a temporary is nothing to the loop: the other path's bridge jumps to its label.
#[test]
fn a_path_that_counts_and_one_that_does_not_meet_at_the_label() {
    let source = "\
main = (func most)
    count = 0
    i = 0
    (while i < most)
        (if i * i % 7 < 3)
            count += 1
        i += 1
    (return count)
(main 20000)
";
    let (all, summary) = traces_and_summary("counts", &[source]);
    assert_eq!((summary.loops, summary.bridges), (1, 1));
    assert_eq!(
        all.iter().filter(|trace| trace.ops[trace.ops.len() - 1].code == Opcode::EnterLabel).count(),
        1
    );
}

/// Three paths through a loop, each of which makes the pair anew: no path does, for bridges jump to the label. The
/// first bridge does not step as the induction of the path that was recorded first: the loop is recorded anew.
#[test]
fn what_is_virtual_stays_so_on_all_paths_through_a_loop() {
    let source = "\
main = (func most)
    p = [0 0]
    i = 0
    (while i < most)
        (if i & 3 == 0)
            p = [p[0]+1 p[1]]
        (elif i & 3 == 1)
            p = [p[0] p[1]+2]
        (else)
            p = [p[1] p[0]]
        i += 1
    (return p)
(main 20000)
";
    let (all, summary) = traces_and_summary("paths", &[source]);
    let jump = |trace: &&Trace| trace.ops.last().is_some_and(|op| op.code == Opcode::EnterLabel);
    let bridges: Vec<&Trace> = all.iter().filter(jump).collect();
    assert!(bridges.len() >= 2, "{summary}");
    for bridge in bridges {
        assert!(bridge.ops.iter().all(|op| op.code.class() != Class::Alloc), "{bridge}");
    }
}

/// The last loop of a program neither allocates nor calls.
fn check_pure_loop(name: &str, source: &str) {
    let all = traces(name, source);
    let last = all.iter().rfind(|trace| trace.label().is_some()).expect("a loop was compiled");
    assert!(!body(last).iter().any(|code| matches!(code.class(), Class::Alloc | Class::Call)), "{last}");
}

#[test]
fn objects_that_nobody_keeps_are_not_made() {
    let source = "\
point = (class object x y)
    plus = (func self other)
        (return (point self.x + other.x self.y + other.y))
counter = (class object n)
    init = (func self start)
        self.n = start
    tick = (func self)
        self.n += 1
main = (func n)
    p = (point 0 0)
    c = (counter 5)
    i = 0
    (while i < n)
        p = (p.plus (point i 1))
        (c.tick)
        i += 1
    (return p.x + c.n)
(main 20000)
";
    check_pure_loop("objects", source);
}

/// A loop that sums in a function, with this in it for each number `i`.
fn summing(inside: &str) -> String {
    format!(
        "main = (func n)\n    total = 0\n    i = 0\n    (while i < n)\n{inside}        i += 1\n    (return total)\n(main 20000)\n"
    )
}

#[test]
fn a_handler_of_errors_that_do_not_come_costs_nothing() {
    let inside = "        (try)
            total += i
            (assert total >= 0)
        (except e)
            (return e)
";
    check_pure_loop("handler", &summing(inside));
}

/// An error that is raised and handled in one trace is not made either.
#[test]
fn an_error_that_is_handled_in_the_loop_is_not_made() {
    let inside = "        (try)
            (raise i)
        (except e)
            total += e
";
    check_pure_loop("raised", &summing(inside));
}
