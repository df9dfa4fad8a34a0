//! Makes random programs, and smaller ones of a program.

use hotloop_ir::Opcode;

use super::language::*;
use super::memory::{GLOBAL_COUNT, kit};

/// Random numbers (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The theme of programs that work with texts.
const TEXTS: usize = 6;

/// A random program.
pub fn program(random: &mut Random) -> Program {
    let count = random.below(4) + 1;
    // Programs that dwell on few kinds of operations find more than those that mix all.
    let theme = random.below(7);
    let mut code: Vec<Instruction> = (0..count)
        .map(|_| {
            let length = random.below(7) + 1;
            let body = block(random, theme, length, 2);
            Instruction { live: random.below(MOST_LIVE as usize) as u32 + 1, body }
        })
        .collect();
    code[0].body.insert(0, Micro::Count);
    let global = |random: &mut Random| match random.below(10) {
        _ if theme == TEXTS && random.chance(80) => Some(GLOBAL_COUNT - 1),
        0 => None,
        1..3 => Some(random.below(GLOBAL_COUNT)),
        _ => Some(random.below(4)),
    };
    Program {
        code,
        ints: [0, random.below(14) as u64 + 3, word(random) as u64, word(random) as u64],
        refs: [global(random), global(random), global(random)],
    }
}

fn word(random: &mut Random) -> i64 {
    match random.below(12) {
        0 => i64::MAX - random.below(20) as i64,
        1 => i64::MIN + random.below(20) as i64,
        2 => (1 << 60) - random.below(6) as i64,
        3 => -(random.below(9) as i64),
        _ => random.below(9) as i64,
    }
}

fn block(random: &mut Random, theme: usize, length: usize, depth: usize) -> Vec<Micro> {
    let mut body = Vec::new();
    for _ in 0..length {
        if random.chance(25) {
            body.extend(idiom(random));
        } else {
            body.push(micro(random, theme, depth));
        }
    }
    body
}

/// What languages do all the time.
fn idiom(random: &mut Random) -> Vec<Micro> {
    use Opcode::{IntAdd, IntAddOvf};
    let (a, b) = (to(random), src(random));
    let (r, s, t) = (reference(random), reference(random), random.below(REFS));
    let (v, w, slot) = (random.below(VALUES), random.below(VALUES), random.below(3) as u32);
    let test = Micro::IfLess(src(random), src(random), Vec::new(), Vec::new());
    let native = |name: &str| kit().natives.iter().position(|native| native.id.get().name == name);
    let native = |name: &str| native(name).expect("a function of the kit");
    let mut body = match random.below(19) {
        // The same object by two names, as it is made.
        12 => vec![
            Micro::NewBytes(t, src(random), b),
            Micro::TagRef(v, t),
            Micro::MoveRef(r, t),
            Micro::UntagRef(s, v),
            Micro::GetTag(a, s),
        ],
        13 => {
            let number = random.below(INTS);
            vec![
                Micro::NewBytes(t, src(random), b),
                Micro::IfRaised(native("random_tag_of"), t, t, number, number, Vec::new()),
                Micro::MoveRef(r, t),
            ]
        }
        14 => {
            let (number, condition) = (random.below(INTS), random.below(INTS));
            vec![
                Micro::GetInt(a, r, IntField::N),
                Micro::CallIf(native("random_write_quietly"), r, s, number, condition),
                Micro::GetInt(to(random), r, IntField::N),
            ]
        }
        0 => vec![
            Micro::GetInt(a, r, IntField::N),
            Micro::Pure(IntAdd, a, Src::Reg(a), b),
            Micro::SetInt(r, IntField::N, Src::Reg(a)),
        ],
        1 => vec![Micro::NewCell(t, b), Micro::SetNext(t, r), Micro::MoveRef(r, t)],
        2 => vec![Micro::GetX(a), Micro::Checked(IntAddOvf, a, Src::Reg(a), b), Micro::SetX(Src::Reg(a))],
        3 => vec![Micro::NewCell(t, b), Micro::SetInt(t, IntField::N, b), Micro::SetNext(r, t)],
        4 => vec![Micro::TagInt(v, b), Micro::SetSlot(slot, v)],
        5 => vec![
            Micro::GetSlot(v, slot),
            Micro::TagInt(w, b),
            Micro::AddValues(v, v, w),
            Micro::SetSlot(slot, v),
        ],
        6 => vec![Micro::NewCell(t, b), Micro::SetNext(r, t), Micro::SetNext(t, r), Micro::MoveRef(s, t)],
        9 => {
            let (bytes, at) = (random.chance(50), Src::Const(0));
            let make =
                if bytes { Micro::NewBytes(t, Src::Const(3), b) } else { Micro::NewArray(t, Src::Const(3)) };
            vec![
                Micro::CopyItems(bytes, s, at, t, at, index(random)),
                make,
                Micro::CopyItems(bytes, s, at, t, at, index(random)),
                Micro::SetNext(r, t),
            ]
        }
        10 => {
            let at = Src::Const(0);
            vec![
                Micro::NewArray(t, Src::Const(3)),
                Micro::CopyItems(false, s, at, t, at, index(random)),
                Micro::SetItem(s, index(random), r),
                Micro::MoveRef(r, t),
            ]
        }
        16 => vec![Micro::TextOf(r, s), Micro::Join(s, r, t), Micro::SameText(a, s, r)],
        18 => vec![
            Micro::Slice(s, r, Src::Const(1), index(random)),
            Micro::Join(t, r, s),
            Micro::Join(r, r, s),
            Micro::SameText(a, t, r),
        ],
        17 => vec![
            Micro::Join(t, r, s),
            Micro::SetHash(t, b),
            test.clone(),
            Micro::Join(s, t, r),
            Micro::SameText(a, s, t),
        ],
        11 => {
            vec![
                Micro::NewBytes(t, index(random), b),
                Micro::SetByte(t, index(random), b),
                Micro::MoveRef(r, t),
            ]
        }
        7 => vec![Micro::GetNext(t, r), Micro::GetInt(a, t, IntField::N), Micro::SetNext(r, s)],
        _ => vec![Micro::GetR(t), Micro::SetR(r), Micro::MoveRef(s, t)],
    };
    if random.chance(50) {
        body.insert(random.below(body.len() + 1), test.clone());
    }
    if random.chance(50) {
        body.push(test);
    }
    body
}

/// A register for references, most often one of the state.
fn reference(random: &mut Random) -> Reg {
    if random.chance(75) { random.below(STATE_REFS) } else { random.below(REFS) }
}

fn src(random: &mut Random) -> Src {
    if random.chance(60) { Src::Reg(random.below(INTS)) } else { Src::Const(word(random)) }
}

fn to(random: &mut Random) -> Reg {
    2 + random.below(INTS - 2)
}

fn index(random: &mut Random) -> Src {
    if random.chance(75) { Src::Const(random.below(3) as i64) } else { src(random) }
}

fn micro(random: &mut Random, theme: usize, depth: usize) -> Micro {
    // Themes: 0 anything, 1 ints, 2 objects, 3 frame, 4 calls and objects, 5 values.
    let favourite = match theme {
        _ if random.chance(25) => random.below(6),
        0 => random.below(6),
        TEXTS if random.chance(60) => return texts(random),
        TEXTS => random.below(3),
        theme => theme - 1,
    };
    if depth > 0 && random.chance(10) {
        let lengths = [random.below(3), random.below(3)];
        let [yes, no] = lengths.map(|length| block(random, theme, length, depth - 1));
        return match random.below(4) {
            0 => Micro::If(random.below(INTS), yes, no),
            1 => Micro::IfLess(src(random), src(random), yes, no),
            2 => Micro::IfCell(random.below(REFS), yes, no),
            _ => Micro::IfSame(random.below(REFS), random.below(REFS), yes, no),
        };
    }
    let (r, s) = (reference(random), reference(random));
    let field = if random.chance(80) { IntField::N } else { IntField::S };
    match favourite {
        0 => ints(random),
        1 if random.chance(10) => texts(random),
        1 => match random.below(16) {
            0 | 1 => Micro::NewCell(r, src(random)),
            2 | 3 => Micro::GetInt(to(random), r, field),
            4 | 5 => Micro::SetInt(r, field, src(random)),
            6 => Micro::GetNext(r, s),
            7 | 8 => Micro::SetNext(r, s),
            9 => Micro::GetK(to(random), r),
            10 => Micro::NewArray(r, index(random)),
            11 => Micro::GetItem(r, s, index(random)),
            12 => Micro::SetItem(r, index(random), s),
            13 => Micro::MoveRef(r, s),
            14 => Micro::PromoteRef(r),
            _ if random.chance(60) => runs(random, r, s),
            _ => match random.below(8) {
                6 | 7 => Micro::GetTag(to(random), r),
                0 => Micro::GetCount(to(random), r),
                1 => Micro::SetCount(r, src(random)),
                2 => Micro::NewBytes(r, index(random), src(random)),
                3 => Micro::GetByte(to(random), r, index(random)),
                4 => Micro::SetByte(r, index(random), src(random)),
                _ => Micro::Null(r),
            },
        },
        2 => match random.below(13) {
            0 | 1 => Micro::GetX(to(random)),
            2 | 3 => Micro::SetX(src(random)),
            4 => Micro::GetR(r),
            5 => Micro::SetR(r),
            6 => Micro::GetLink(r),
            7 | 8 => Micro::GetSlot(random.below(VALUES), random.below(4) as u32),
            9 | 10 => Micro::SetSlot(random.below(4) as u32, random.below(VALUES)),
            11 => Micro::GetAnySlot(random.below(VALUES), random.below(INTS)),
            _ => Micro::SetAnySlot(random.below(INTS), random.below(VALUES)),
        },
        3 => {
            let native = random.below(kit().natives.len());
            let descr = kit().natives[native].id.get();
            if !descr.raises && random.chance(40) {
                let (number, condition) = (random.below(INTS), random.below(INTS));
                return match descr.result {
                    Some(_) if random.chance(70) => Micro::CallUnless(native, r, s, number, condition),
                    _ => Micro::CallIf(native, r, s, number, condition),
                };
            }
            let yes = if depth > 0 { block(random, theme, 1, 0) } else { Vec::new() };
            Micro::IfRaised(native, r, s, random.below(INTS), random.below(INTS), yes)
        }
        _ => values(random),
    }
}

fn runs(random: &mut Random, r: Reg, s: Reg) -> Micro {
    let (bytes, to) = (random.chance(50), to(random));
    let [at, other_at] = [0, 1].map(|_| if random.chance(50) { Src::Const(0) } else { index(random) });
    let count = index(random);
    match random.below(10) {
        0..5 => Micro::CopyItems(bytes, r, at, s, other_at, count),
        5 => Micro::FillItems(bytes, r, at, count, random.below(REFS)),
        6 | 7 => Micro::SameItems(to, bytes, r, at, s, other_at, count),
        8 => Micro::CompareBytes(to, r, at, s, other_at, count),
        _ => Micro::CopySlots(at, other_at, count),
    }
}

fn texts(random: &mut Random) -> Micro {
    let (r, s) = (reference(random), reference(random));
    match random.below(8) {
        0 => Micro::TextOf(r, s),
        1 | 2 => Micro::Join(random.below(REFS), r, s),
        3 => Micro::Slice(r, s, index(random), index(random)),
        4 | 5 => Micro::SameText(to(random), r, s),
        6 => Micro::GetChar(to(random), r, index(random)),
        _ if random.chance(50) => Micro::GetHash(to(random), r),
        _ => Micro::SetHash(r, src(random)),
    }
}

fn ints(random: &mut Random) -> Micro {
    use Opcode::*;
    let (to, a, b) = (to(random), src(random), src(random));
    match random.below(10) {
        0..4 => {
            let code = random.pick(&[
                IntAdd, IntSub, IntMul, IntAnd, IntOr, IntXor, IntShl, IntSar, IntShr, IntEq, IntNe, IntLt,
                IntLe, UintLt, UintLe,
            ]);
            Micro::Pure(code, to, a, b)
        }
        4..7 => Micro::Checked(random.pick(&[IntAddOvf, IntSubOvf, IntMulOvf]), to, a, b),
        7 => Micro::Div(random.pick(&[IntDiv, IntRem, IntDivFloor, IntModFloor]), to, a, b),
        8 => Micro::Select(to, random.below(INTS), a, b),
        _ => Micro::Promote(to),
    }
}

fn values(random: &mut Random) -> Micro {
    let (v, w, x) = (random.below(VALUES), random.below(VALUES), random.below(VALUES));
    let (f, g, h) = (random.below(FLOATS), random.below(FLOATS), random.below(FLOATS));
    let r = random.below(REFS);
    match random.below(16) {
        0 | 1 => Micro::TagInt(v, src(random)),
        2 => Micro::UntagInt(to(random), v),
        3 | 4 => Micro::AddValues(v, w, x),
        5 => Micro::LessValues(to(random), v, w),
        6 | 7 => Micro::TagRef(v, r),
        8 => Micro::UntagRef(r, v),
        9 => Micro::SameValues(to(random), v, w),
        10 => Micro::GetV(v, r),
        11 => Micro::SetV(r, v),
        12 => Micro::ToFloat(f, src(random)),
        13 => {
            let code = random.pick(&[Opcode::FloatAdd, Opcode::FloatSub, Opcode::FloatMul, Opcode::FloatDiv]);
            Micro::FloatOp(code, f, g, h)
        }
        14 => match random.below(2) {
            0 => Micro::ToInt(to(random), f),
            _ => Micro::FloatLess(to(random), f, g),
        },
        _ => match random.below(2) {
            0 => Micro::TagFloat(v, f),
            _ => Micro::UntagFloat(f, v),
        },
    }
}

/// Smaller programs, the smallest first.
pub fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for at in 0..program.code.len() {
        if at > 0 {
            let mut less = program.clone();
            less.code.remove(at);
            all.push(less);
        }
        for body in smaller_blocks(&program.code[at].body) {
            let mut less = program.clone();
            less.code[at].body = body;
            all.push(less);
        }
        if program.code[at].live > 1 {
            let mut less = program.clone();
            less.code[at].live = 1;
            all.push(less);
        }
    }
    for at in 1..STATE_INTS {
        for word in [2, 3, 4, program.ints[at] / 2] {
            if word < program.ints[at] {
                let mut less = program.clone();
                less.ints[at] = word;
                all.push(less);
            }
        }
    }
    for at in 0..STATE_REFS {
        if program.refs[at].is_some() {
            let mut less = program.clone();
            less.refs[at] = None;
            all.push(less);
        }
    }
    all
}

fn smaller_blocks(body: &[Micro]) -> Vec<Vec<Micro>> {
    let mut all = Vec::new();
    for at in 0..body.len() {
        if body[at] == Micro::Count {
            continue;
        }
        let (before, after) = (&body[..at], &body[at + 1..]);
        let with = |middle: &[Micro]| [before, middle, after].concat();
        all.push(with(&[]));
        for parts in branches(&body[at]) {
            all.push(with(&parts));
        }
    }
    all
}

/// The branches in place of the test, and the test with smaller branches.
fn branches(micro: &Micro) -> Vec<Vec<Micro>> {
    let (yes, no) = match micro {
        Micro::If(_, yes, no)
        | Micro::IfLess(_, _, yes, no)
        | Micro::IfCell(_, yes, no)
        | Micro::IfSame(_, _, yes, no) => (yes.clone(), no.clone()),
        Micro::IfRaised(.., yes) => (yes.clone(), Vec::new()),
        _ => return Vec::new(),
    };
    let rebuilt = |new_yes: &[Micro], new_no: &[Micro]| {
        let mut micro = micro.clone();
        match &mut micro {
            Micro::If(_, yes, no)
            | Micro::IfLess(_, _, yes, no)
            | Micro::IfCell(_, yes, no)
            | Micro::IfSame(_, _, yes, no) => (*yes, *no) = (new_yes.to_vec(), new_no.to_vec()),
            Micro::IfRaised(.., yes) => *yes = new_yes.to_vec(),
            _ => {}
        }
        vec![micro]
    };
    let mut all = vec![yes.clone(), no.clone()];
    all.extend(smaller_blocks(&yes).iter().map(|yes| rebuilt(yes, &no)));
    all.extend(smaller_blocks(&no).iter().map(|no| rebuilt(&yes, no)));
    all
}
