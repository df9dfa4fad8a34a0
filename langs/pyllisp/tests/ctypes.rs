//! Types of C, as a C compiler has them: by value to functions and callbacks, bit-fields, `long double`.

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

const C: &str = "
struct point { int x; double y; };
struct wide { long a[3]; char c; };
union number { int i; double d; float f[2]; };
struct tagged { char kind; union { int i; float f; } value; };
struct flags { unsigned a : 3; int b : 5; unsigned long c : 40; unsigned char d; signed char e : 2; };

struct point flip(struct point p) { struct point q = { (int)p.y, p.x }; return q; }
struct point twice(struct point (*f)(struct point, int), struct point p) { return f(f(p, 1), 2); }
struct wide grow(struct wide (*f)(struct wide), struct wide w) { w.a[0]++; return f(w); }
union number as_union(union number n) { n.d *= 2; return n; }
double with_union(union number (*f)(union number), double d) { union number n; n.d = d; return f(n).d; }
float of_tagged(struct tagged t) { return t.kind == 'i' ? t.value.i : t.value.f; }
struct tagged make_tagged(float f) { struct tagged t = { 'f', { .f = f } }; return t; }
long flags_sum(struct flags f) { return f.a * 1000000 + f.b * 10000 + (long)f.c + f.d + f.e; }
struct flags flags_make(int a, int b, unsigned long c) { struct flags f = { a, b, c, 7, -1 }; return f; }
unsigned flags_size(void) { return sizeof(struct flags); }
long double half(long double x) { return x / 2; }
long double third(int n) { return (long double)n / 3; }
double summed(long double (*f)(long double, int), int n) {
    long double s = 0;
    for (int i = 0; i < n; i++) s += f(s, i);
    return s;
}
struct pair { long double x; int n; } pairs[2] = { { 1.25L, 3 }, { -2.5L, 4 } };
";

/// The library of these functions.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, object) = (folder.join("ctypes.c"), folder.join("ctypes.so"));
        std::fs::write(&source, C).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-w", "-O1", "-shared", "-fPIC", "-o"]).arg(&object).arg(&source);
        assert!(compiler.status().unwrap().success());
        object.to_str().unwrap().to_owned()
    })
}

fn source(program: &str) -> String {
    format!(
        "ffi = (import \"ffi\")
c = (ffi.library \"{}\")
point = (ffi.struct \"point\" [[\"x\" ffi.int] [\"y\" ffi.double]])
wide = (ffi.struct \"wide\" [[\"a\" (ffi.array ffi.long 3)] [\"c\" ffi.char]])
number = (ffi.union \"number\" [[\"i\" ffi.int] [\"d\" ffi.double] [\"f\" (ffi.array ffi.float 2)]])
either = (ffi.union [[\"i\" ffi.int] [\"f\" ffi.float]])
tagged = (ffi.struct \"tagged\" [[\"kind\" ffi.char] [\"value\" either]])
parts = [[\"a\" ffi.uint 3] [\"b\" ffi.int 5] [\"c\" ffi.ulong 40] [\"d\" ffi.uchar] [\"e\" ffi.sbyte 2]]
flags = (ffi.struct \"flags\" parts)
get = (func name result arguments) (return (ffi.handle c name (ffi.cfunc result arguments)))
{program}",
        library()
    )
    .replace("ffi.uchar", "ffi.ubyte")
}

fn check(program: &str, expected: &str) {
    common::check(&source(program), expected);
}

fn check_error(program: &str, expected: &str) {
    common::check_error(&source(program), expected);
}

#[test]
fn structures_go_to_callbacks_and_back() {
    check(
        "flip = (get \"flip\" point [point])
step = (ffi.cfunc point [point ffi.int])
twice = (get \"twice\" point [(ffi.pointer step) point])
other = (ffi.cfunc wide [wide])
grow = (get \"grow\" wide [(ffi.pointer other) wide])
p = (ffi.automem point)
p.x = 3
p.y = 4.5
q = (flip p)
(print q.x q.y)
kept = []
turn = (func p n)
    (kept.append p)
    r = (flip p)
    r.x += n
    (return r)
many = (func n)
    (for i (range n))
        r = (twice turn p)
    (return r)
r = (many 20)
(print r.x r.y kept.length kept[0].x kept[1].x)
w = (ffi.automem wide)
w.a[0] = 40
w.a[2] = 7
w.c = -3
more = (func w)
    w.a[1] = w.a[0] + w.a[2]
    (return w)
v = (grow more w)
(print v.a[0] v.a[1] v.a[2] v.c w.a[0])
",
        "4 3.0\n5 5.0 40 3 5\n41 48 7 -3 40\n",
    );
    check_error(
        "step = (ffi.cfunc point [point ffi.int])
twice = (get \"twice\" point [(ffi.pointer step) point])
wrong = (func p n) (return n)
(twice wrong (ffi.automem point))
",
        "result of a callback: expected struct point, got 1",
    );
}

#[test]
fn unions_go_by_value() {
    check(
        "as_union = (get \"as_union\" number [number])
change = (ffi.cfunc number [number])
with_union = (get \"with_union\" ffi.double [(ffi.pointer change) ffi.double])
of_tagged = (get \"of_tagged\" ffi.float [tagged])
make_tagged = (get \"make_tagged\" tagged [ffi.float])
n = (ffi.automem number)
n.d = 1.25
(print (as_union n).d)
double = (func n)
    n.d = n.d * 3
    (return n)
sum = 0
(for i (range 12)) sum += (with_union double i)
(print sum)
t = (make_tagged 2.5)
(print t.kind t.value.f (of_tagged t))
t.kind = 105
t.value.i = 9
(print (of_tagged t))
"
        .replace("(as_union n).d", "{(as_union n)}.d")
        .as_str(),
        "2.5\n198.0\n102 2.5 2.5\n9.0\n",
    );
    check_error(
        "strange = (ffi.union [[\"x\" ffi.longdouble] [\"y\" ffi.int]])
f = (get \"half\" ffi.double [strange])
(f (ffi.automem strange))
",
        "half: union without name can't be passed by value: libffi has nothing like it",
    );
}

#[test]
fn bit_fields() {
    check(
        "f = (ffi.automem flags)
sum = (get \"flags_sum\" ffi.long [flags])
make = (get \"flags_make\" flags [ffi.int ffi.int ffi.ulong])
(print (ffi.sizeof flags) ((get \"flags_size\" ffi.uint [])))
loop = (func n)
    (for i (range n))
        f.a = i % 8
        f.b = i % 32 - 16
        f.c = i * 1000000
        f.d = 5
        f.e = i % 4 - 2
    (return (sum f))
(print (loop 30) f.a f.b f.c f.d f.e)
g = (make 7 -16 1099511627775)
(print g.a g.b g.c g.d g.e)
inside = (ffi.struct [[\"n\" ffi.int] [\"\" flags] [\"last\" ffi.ushort 9] [\"\" ffi.ushort 0] [\"next\" ffi.ushort 1]])
h = (ffi.automem inside)
h.b = -1
h.next = 1
h.last = 511
(print h.b h.a h.last h.next (ffi.sizeof inside))
",
        "8 8\n34130004 5 13 29000000 5 -1\n7 -16 1099511627775 7 -1\n-1 0 511 1 24\n",
    );
    check_error(
        "f = (ffi.automem flags)\nf.a = 8\n",
        "a of <memory struct flags>: 8 does not fit 3 bits of u32",
    );
    check_error(
        "f = (ffi.automem flags)\nf.b = 16\n",
        "b of <memory struct flags>: 16 does not fit 5 bits of i32",
    );
    check_error(
        "f = (ffi.automem flags)\nf.b = \"x\"\n",
        "b of <memory struct flags>: expected i32, got \"x\"",
    );
    check_error("(ffi.struct [[\"a\" ffi.int 33]])", "field a: i32 can't be of 33 bits");
    check_error("(ffi.struct [[\"a\" ffi.int 0]])", "field a: i32 can't be of 0 bits");
    check_error("(ffi.struct [[\"a\" ffi.double 3]])", "field a: f64 has no bits");
}

#[test]
fn long_doubles() {
    check(
        "half = (get \"half\" ffi.longdouble [ffi.longdouble])
third = (get \"third\" ffi.longdouble [ffi.int])
each = (ffi.cfunc ffi.longdouble [ffi.longdouble ffi.int])
summed = (get \"summed\" ffi.double [(ffi.pointer each) ffi.int])
(print (half 5) (half -0.1) (third 1) (ffi.sizeof ffi.longdouble) half ffi.longdouble)
add = (func s i) (return s * 0.5 + i)
x = 0
(for i (range 12)) x += (summed add 10)
(print x)
pair = (ffi.struct \"pair\" [[\"x\" ffi.longdouble] [\"n\" ffi.int]])
p = (ffi.handle c \"pairs\" (ffi.array pair 2))
(print p[0].x p[1].x p[1].n (ffi.sizeof pair))
p[0].x = 0.1
(print p[0].x (ffi.cast 3 ffi.longdouble))
p[0].x = 1.25
many = (ffi.automem ffi.longdouble 3)
(for i (range 3)) many[i] = i * 0.5
(print many[2] many.to)
",
        "2.5 -0.05 0.3333333333333333 16 <cfunction half> <longdouble>\n2479.921875\n1.25 -2.5 4 32\n0.1 3.0\n1.0 0.0\n",
    );
    check_error(
        "half = (get \"half\" ffi.longdouble [ffi.longdouble])\n(half \"x\")",
        "argument 1 of half: expected longdouble, got \"x\"",
    );
}
