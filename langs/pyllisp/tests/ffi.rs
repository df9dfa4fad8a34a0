//! C from programs, in all ways in which programs run.

mod common;

/// What a program prints, and its error, must be this.
fn check(name: &str, source: &str, expected: &str) {
    for way in common::WAYS {
        let got = common::run(&format!("ffi = (import \"ffi\")\n{source}"), way).to_string();
        assert_eq!(got, expected, "{name}, {way}");
    }
}

/// The message with which a program ends.
fn check_error(source: &str, expected: &str) {
    for way in common::WAYS {
        let error = common::run(&format!("ffi = (import \"ffi\")\n{source}"), way).error.unwrap_or_default();
        let message = error.rsplit("Error: ").next().unwrap_or_default();
        assert_eq!(message, expected, "{source}, {way}\n{error}");
    }
}

const LIBC: &str = "\
libc = (ffi.library null)
char_p = (ffi.pointer ffi.char)
int_p = (ffi.pointer ffi.int)
strlen = (ffi.handle libc \"strlen\" (ffi.cfunc ffi.size_t [char_p]))
abs = (ffi.handle libc \"abs\" (ffi.cfunc ffi.int [ffi.int]))
order = (ffi.cfunc ffi.int [int_p int_p])
qsort = (ffi.handle libc \"qsort\" (ffi.cfunc null [ffi.voidp ffi.size_t ffi.size_t (ffi.pointer order)]))
numbers = (func count)
    items = (ffi.automem ffi.int count)
    (for i (range count))
        items[i] = i * 7 % count
    (return items)
";

#[test]
fn functions_are_called_in_loops() {
    let source = format!(
        "{LIBC}
libm = (ffi.library \"libm.so.6\" (dict))
cos = (ffi.handle libm \"cos\" (ffi.cfunc ffi.double [ffi.double]))
sqrtf = (ffi.handle libm \"sqrtf\" (ffi.cfunc ffi.float [ffi.float]))
toupper = (ffi.handle libc \"toupper\" (ffi.cfunc ffi.int [ffi.int]))
main = (func n)
    x = 0.5
    f = 2.0
    count = 0
    i = 0
    (while i < n)
        x = (cos x)
        f = (sqrtf f) + 1
        count += (strlen \"hello\") + (abs 3 - i)
        (if i % 3 == 0)
            count += (strlen (str i)) + (toupper 97)
        i += 1
    (return [x f count])
(print (main 60))
(print cos (cos 0) (abs -7) (strlen \"täst\"))
"
    );
    check("loops", &source, "[0.7390851332044346 2.6180340051651 3238]\n<cfunction cos> 1.0 7 5\n");
}

#[test]
fn numbers_of_all_sizes() {
    let source = "
main = (func types)
    (for ty types)
        p = (ffi.malloc ty 3)
        i = 0
        (while i < 3)
            p[i] = 100 + i
            i += 1
        p[1] = p[0] - 60
        (print ty (ffi.sizeof ty) p[0] p[1] p[2] p.to)
        (ffi.free p)
(main [ffi.i8 ffi.u8 ffi.i16 ffi.u16 ffi.i32 ffi.u32 ffi.i64 ffi.u64 ffi.float ffi.double])
(main [(ffi.signed 2) (ffi.unsigned 8) (ffi.floating 4)])
p = (ffi.automem ffi.u64 2)
p[0] = 0xffffffffffffffff
p[1] = 0x8000000000000000
(print p[0] p[1] (ffi.cast p[0] ffi.i64) (ffi.cast -1 ffi.u16) (ffi.cast 300 ffi.u8) (ffi.cast 2.9 ffi.int))
q = (ffi.cast p (ffi.pointer ffi.i8))
(print q[0] q[15] q[8])
";
    let expected = "\
<i8> 1 100 40 102 100\n<u8> 1 100 40 102 100\n<i16> 2 100 40 102 100\n<u16> 2 100 40 102 100\n\
<i32> 4 100 40 102 100\n<u32> 4 100 40 102 100\n<i64> 8 100 40 102 100\n<u64> 8 100 40 102 100\n\
<f32> 4 100.0 40.0 102.0 100.0\n<f64> 8 100.0 40.0 102.0 100.0\n\
<i16> 2 100 40 102 100\n<u64> 8 100 40 102 100\n<f32> 4 100.0 40.0 102.0 100.0\n\
18446744073709551615 9223372036854775808 -1 65535 44 2\n-1 -128 0\n";
    check("numbers", source, expected);
}

#[test]
fn structures_unions_and_arrays() {
    let source = "
point = (ffi.struct \"point\" [[\"x\" ffi.char] [\"y\" ffi.double] [\"z\" ffi.short]])
either = (ffi.union \"either\" [[\"i\" ffi.u32] [\"f\" ffi.float] [\"b\" (ffi.array ffi.u8 4)]])
row = (ffi.struct \"row\" [[\"at\" point] [\"value\" either] [\"name\" (ffi.array ffi.char 8)] [\"p\" (ffi.pointer point)]])
(print (ffi.sizeof point) (ffi.sizeof either) (ffi.sizeof row) point row)
r = (ffi.automem row 2)
r.at.x = -5
r.at.y = 2.5
r[1].value.f = 1.0
(print r.at.x r.at.y r[1].value.i r[1].value.b[3] r.value.b.length)
r.p = r[1].at
r.p.z = 77
(print r[1].at.z r.p.to.z (r.p == null) r[1].p)
r[1].at = r.at
(print r[1].at.x r[1].at.y)
for_text = r.name
i = 0
(while i < 5)
    for_text[i] = 104 + i
    i += 1
(print r.name.str r.name.length)
node = (ffi.struct \"node\")
(node.declare [[\"value\" ffi.int] [\"next\" (ffi.pointer node)]])
build = (func n)
    list = null
    (while n > 0)
        new = (ffi.malloc node)
        new.value = n
        new.next = list
        list = new
        n -= 1
    (return list)
sum = (func list)
    total = 0
    (while list != null)
        total += list.value
        list = list.next
    (return total)
(print (sum (build 100)))
";
    let expected = "\
24 4 48 <struct point> <struct row>\n-5 2.5 1065353216 63 4\n77 77 false null\n-5 2.5\nhijkl 8\n5050\n";
    check("structures", &source.replace("(r.p == null)", "{r.p == null}"), expected);
}

#[test]
fn structures_go_by_value_and_arguments_may_be_many() {
    let source = format!(
        "{LIBC}
div_t = (ffi.struct \"div_t\" [[\"quot\" ffi.int] [\"rem\" ffi.int]])
div = (ffi.handle libc \"div\" (ffi.cfunc div_t [ffi.int ffi.int]))
d = (div 17 5)
(print d.quot d.rem)
snprintf = (ffi.handle libc \"snprintf\" (ffi.cfunc ffi.int [char_p ffi.size_t char_p] true))
buffer = (ffi.automem ffi.char 64)
(print (snprintf buffer 64 \"%d %s %.2f %c %ld\" 42 \"abc\" 2.5 65 0x123456789) buffer.str)
strtol = (ffi.handle libc \"strtol\" (ffi.cfunc ffi.long [char_p (ffi.pointer char_p) ffi.int]))
text = (ffi.automem ffi.char 16)
(snprintf text 16 \"123xyz\")
end = (ffi.automem char_p)
(print (strtol text end 10) end.to.str)
"
    );
    check("by value", &source, "3 2\n24 42 abc 2.50 A 4886718345\n123 xyz\n");
}

#[test]
fn functions_of_the_program_are_called_by_c() {
    let source = format!(
        "{LIBC}
calls = 0
sorted = (func count)
    items = (numbers count)
    (qsort items count 4)
        (func a b)
            calls += 1
            (return a.to - b.to)
    sum = 0
    i = 0
    (while i < count)
        sum += items[i] * i
        i += 1
    (return sum)
i = 0
(while i < 20)
    total = (sorted 10 + i)
    i += 1
(print total (calls > 500))
sum = (func a b) (return 2 * a.to + b.to)
sum = (ffi.callback order sum)
(print (sum (numbers 10) (numbers 10)) sum)
"
    );
    let source = source.replace("(calls > 500)", "{calls > 500}");
    check("callbacks", &source, "7714 true\n0 <cfunction callback>\n");
    let more = format!("{LIBC}wrong = (func a b) (return a.nothing)\n(qsort (numbers 5) 5 4 wrong)\n");
    check_error(&more, "nothing not in <memory i32>");
    let more = format!("{LIBC}wrong = (func a b) (return \"x\")\n(qsort (numbers 5) 5 4 wrong)\n");
    check_error(&more, "result of a callback: expected i32, got \"x\"");
}

/// What runs in a callback may run C, change what loops rely on, and look at the frames around it.
#[test]
fn callbacks_do_what_programs_do() {
    let source = format!(
        "{LIBC}
depth = 0
total = 0
make = (func items)
    compare = (func a b)
        total += 1
        (if depth < 2)
            depth += 1
            (qsort items 3 4 (make items))
            depth -= 1
        (return a.to - b.to)
    (return compare)
main = (func n)
    i = 0
    seen = 0
    (while i < n)
        before = total
        (qsort (numbers 3) 3 4 (make (numbers 3)))
        seen += total - before
        i += 1
    (return seen)
(print (main 12) depth)
less = (func a b) (return a.to - b.to)
lines = (func)
    (yield 1)
    (qsort (numbers 4) 4 4 less)
    (yield 2)
    (yield 3)
sum = 0
(for line (lines))
    sum += line
(print sum)
"
    );
    check("what callbacks do", &source, "168 0\n6\n");
}

/// Pointers to functions lie in memory; what is at one address is the same.
#[test]
fn addresses_are_compared_and_functions_lie_in_memory() {
    let source = format!(
        "{LIBC}
unary = (ffi.cfunc ffi.int [ffi.int])
table = (ffi.struct [[\"call\" (ffi.pointer unary)] [\"none\" (ffi.pointer unary)]])
t = (ffi.automem table)
t.call = abs
print_all = (func n)
    i = 0
    sum = 0
    (while i < n)
        sum += (t.call i - 5)
        i += 1
    (return sum)
(print (print_all 20) t.call {{t.call == abs}} t.none)
plus = (func n) (return n + 1)
t.call = plus
(print (t.call 4))
items = (numbers 4)
(print {{items == (ffi.cast items ffi.voidp)}} {{items == (numbers 4)}} {{items != null}} {{items == abs}})
seen = (dict)
seen[items] = 7
(print seen[(ffi.cast items ffi.voidp)])
"
    );
    check("addresses", &source, "120 <cfunction function> true null\n5\ntrue false true false\n7\n");
}

#[test]
fn libraries_are_described() {
    let source = "
api = (dict)
api[\"cosine\"] = (ffi.wrap \"cos\" (ffi.cfunc ffi.double [ffi.double]))
api[\"fabs\"] = (ffi.cfunc ffi.double [ffi.double])
api[\"PI\"] = 3.5
api[\"missing\"] = (ffi.cfunc ffi.int [])
libm = (ffi.library \"libm.so.6\" api)
main = (func n)
    sum = 0
    i = 0
    (while i < n)
        sum += (libm.cosine 0) + (libm.fabs -1.5) + libm.PI
        i += 1
    (return sum)
(print (main 50) libm libm.fabs)
";
    check("described", source, "300.0 <library libm.so.6> <cfunction fabs>\n");
    check_error(&format!("{source}(libm.missing)\n"), "no symbol missing in library libm.so.6");
    check_error(&format!("{source}(libm.sin 1)\n"), "sin not in <library libm.so.6>");
}

#[test]
fn mistakes_are_errors() {
    for (source, expected) in [
        ("(ffi.handle libc \"no_such\" ffi.int)", "no symbol no_such in library the process itself"),
        ("(abs \"x\")", "argument 1 of abs: expected i32, got \"x\""),
        ("(abs 4294967296)", "argument 1 of abs: 4294967296 does not fit i32"),
        ("(abs 1000000000000000000000)", "argument 1 of abs: 1000000000000000000000 does not fit i32"),
        ("(abs 1.5)", "argument 1 of abs: expected i32, got 1.5"),
        ("(abs)", "abs takes 1 arguments, got 0"),
        ("(abs 1 2)", "abs takes 1 arguments, got 2"),
        ("(strlen 5)", "argument 1 of strlen: expected pointer i8, got 5"),
        ("(strlen (numbers 4))", "argument 1 of strlen: expected pointer i8, got <memory i32>"),
        (
            "(qsort null 0 4 5)",
            "argument 4 of qsort: expected pointer cfunc i32 [pointer i32 pointer i32], got 5",
        ),
        (
            "p = (ffi.malloc ffi.int 2)\n(ffi.free p)\n(print p[0])",
            "item 0 of <memory i32>: the memory was freed",
        ),
        (
            "p = (ffi.malloc ffi.int 2)\n(ffi.free p)\np[0] = 1",
            "item 0 of <memory i32>: the memory was freed",
        ),
        ("p = (ffi.malloc ffi.int 2)\n(ffi.free p)\n(ffi.free p)", "free: the memory was freed"),
        (
            "p = (ffi.malloc ffi.char 2)\n(ffi.free p)\n(strlen p)",
            "argument 1 of strlen: the memory was freed",
        ),
        ("(ffi.free (ffi.automem ffi.int))", "free: memory of automem is freed when nobody refers to it"),
        ("(numbers 4)[4]", "item 4 of <memory i32>: 4 bytes at 16 of a block of 16"),
        ("(numbers 4)[-1]", "item -1 of <memory i32>: 4 bytes at -4 of a block of 16"),
        ("(numbers 4)[\"x\"]", "index not an integer"),
        ("(ffi.automem (ffi.array ffi.int 4))[4]", "index out of range"),
        ("(print (numbers 4).x)", "x not in <memory i32>"),
        (
            "p = (numbers 4)\np[0] = \"x\"",
            "item 0 of <memory i32>: a text lives for a call only; copy it to memory that does",
        ),
        ("p = (numbers 4)\np[0] = null", "item 0 of <memory i32>: expected i32, got null"),
        ("(print null.x)", "x not in null"),
        ("(print (ffi.cast 0 int_p))\n(print (ffi.cast 0 int_p)[0])", "cannot getitem null"),
        ("(ffi.sizeof (ffi.struct \"s\"))", "the size of struct s is unknown"),
        ("(ffi.malloc (ffi.array ffi.int))", "the size of array i32 is unknown"),
        ("(ffi.malloc ffi.void)", "void has no size"),
        ("(ffi.struct [[\"x\" ffi.void]])", "field x: void has no size"),
        ("(ffi.struct [[\"x\" ffi.int] [\"x\" ffi.int]])", "there are two fields x"),
        (
            "(ffi.struct [[\"x\"]])",
            "expected a field like [\"x\" ffi.int], or [\"x\" ffi.int 3] for bits, got [\"x\"]",
        ),
        ("(ffi.struct 5)", "expected a list of fields, got 5"),
        ("(ffi.array ffi.int -1)", "expected a count as arg: 1, got -1"),
        ("(ffi.array ffi.int 1000000000000)", "an array of 1000000000000 i32 is too large"),
        ("(ffi.malloc ffi.int 1000000000000000)", "out of memory"),
        ("(ffi.cfunc ffi.int [5])", "expected a type of C as an argument's, got 5"),
        ("(ffi.cfunc ffi.int [ffi.void])", "an argument can't be void"),
        ("(ffi.signed 3)", "there is no signed number of 3 bytes"),
        ("(ffi.cast \"x\" ffi.int)", "cannot cast \"x\" to i32"),
        ("(ffi.callback order 5)", "callback: expected a function, got 5"),
        ("t = ffi.int\n(while true)\n    t = (ffi.pointer t)", "the type is nested too deeply"),
        ("(ffi.library \"libm.so.6\" 5)", "a library is described by a dict of names and types"),
        ("((ffi.handle libc \"environ\" (ffi.pointer char_p)) 5)", "cannot call <memory pointer pointer i8>"),
    ] {
        check_error(&format!("{LIBC}{source}\n"), expected);
    }
    let error =
        common::run("ffi = (import \"ffi\")\n(ffi.library \"libno_such.so\")\n", "off").error.unwrap();
    assert!(
        error.contains("Error: cannot load library libno_such.so: libno_such.so: cannot open"),
        "{error}"
    );
    assert!(error.contains("main: 2:"), "{error}");
}
