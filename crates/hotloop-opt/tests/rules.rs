//! Each rule is proved by trying it: expressions over two variables, all words of a narrow window and the
//! edges, for all facts of a small set. What a rule answers must compute the same word.

use std::collections::{BTreeMap, BTreeSet};

use hotloop_ir::pure::{evaluate, overflows};
use hotloop_ir::{Class, Fact, Opcode, Operand, Ty, Var};
use hotloop_opt::bounds::forward;
use hotloop_opt::rules::{Answer, Known, Term, simplify, simplify_by};

/// A small program: leaves first, then the operation asked about last.
#[derive(Clone, Debug)]
enum Node {
    Variable(Ty, Fact),
    Const(Ty, u64),
    Op(Opcode, Vec<usize>),
}

/// What is known of the nodes; node *n* is variable *n*, constants are named by their node, too.
struct Nodes {
    nodes: Vec<Node>,
    facts: Vec<Fact>,
}

impl Nodes {
    fn new(nodes: Vec<Node>) -> Nodes {
        let mut facts: Vec<Fact> = Vec::new();
        for node in &nodes {
            facts.push(match node {
                Node::Variable(_, fact) => *fact,
                Node::Const(_, word) => Fact::exactly(*word),
                Node::Op(op, args) => forward(*op, &args.iter().map(|arg| facts[*arg]).collect::<Vec<_>>()),
            });
        }
        Nodes { nodes, facts }
    }

    fn operand(&self, node: usize) -> Operand {
        match self.nodes[node] {
            Node::Const(..) => Operand::constant(node as u32),
            _ => Operand::var(Var(node as u32)),
        }
    }

    fn node(operand: Operand) -> usize {
        operand.as_var().map_or_else(|| operand.as_const().unwrap(), |var| var.0) as usize
    }

    fn ty(&self, node: usize) -> Ty {
        match &self.nodes[node] {
            Node::Variable(ty, _) | Node::Const(ty, _) => *ty,
            Node::Op(op, _) => op.shape().result.flatten().unwrap(),
        }
    }

    /// The word of a node for these words of nodes 0 and 1; nothing if an operation does not get what it wants.
    fn word(&self, node: usize, variables: [u64; 2]) -> Option<u64> {
        match &self.nodes[node] {
            Node::Variable(_, fact) => Some(variables[node]).filter(|word| fact.admits(*word)),
            Node::Const(_, word) => Some(*word),
            Node::Op(op, args) => self.compute(*op, args, variables),
        }
    }

    fn compute(&self, op: Opcode, args: &[usize], variables: [u64; 2]) -> Option<u64> {
        let mut words = [0; 3];
        for (word, arg) in words.iter_mut().zip(args) {
            *word = self.word(*arg, variables)?;
        }
        compute(op, words)
    }

    /// The word of a replacement.
    fn replaced(&self, op: Opcode, terms: &[Term; 3], variables: [u64; 2]) -> Option<u64> {
        let mut words = [0; 3];
        for (word, term) in words.iter_mut().zip(terms) {
            *word = match term {
                Term::Int(word) => *word,
                Term::Operand(operand) => self.word(Nodes::node(*operand), variables)?,
            };
        }
        compute(op, words)
    }

    /// Whether a node depends on that variable.
    fn mentions(&self, node: usize, variable: usize) -> bool {
        match &self.nodes[node] {
            Node::Op(_, args) => args.iter().any(|arg| self.mentions(*arg, variable)),
            _ => node == variable,
        }
    }

    /// The words to try for a variable: all, or one if it does not matter.
    fn domain(&self, variable: usize) -> Vec<u64> {
        let mut all = words(self.ty(variable));
        all.retain(|word| self.facts[variable].admits(*word));
        if !self.mentions(self.nodes.len() - 1, variable) {
            all.truncate(1);
        }
        all
    }
}

/// The result, if the operation's precondition holds and it does not overflow.
fn compute(op: Opcode, [a, b, c]: [u64; 3]) -> Option<u64> {
    use Opcode::*;
    let meant = match op {
        IntDiv | IntRem | IntDivFloor | IntModFloor => b != 0,
        RefToValue => a & 7 == 0,
        ValueToRef => a & 7 == 2,
        FloatToValue | BoxFloat => evaluate(FloatFitsValue, a, 0, 0) == 1,
        ValueToFloat => evaluate(ValueIsFloat, a, 0, 0) == 1,
        _ => true,
    };
    (meant && !overflows(op, a, b)).then(|| evaluate(op, a, b, c))
}

impl Known for Nodes {
    fn fact(&self, operand: Operand) -> Fact {
        self.facts[Nodes::node(operand)]
    }

    fn definition(&self, operand: Operand) -> Option<(Opcode, [Operand; 3])> {
        let Node::Op(op, args) = &self.nodes[Nodes::node(operand)] else { return None };
        let mut all = [Operand::NONE; 3];
        args.iter().enumerate().for_each(|(index, arg)| all[index] = self.operand(*arg));
        Some((*op, all))
    }

    fn constant(&self, operand: Operand) -> Option<u64> {
        match self.nodes[Nodes::node(operand)] {
            Node::Const(_, word) => Some(word),
            _ => None,
        }
    }
}

fn words(ty: Ty) -> Vec<u64> {
    match ty {
        Ty::Int => {
            let around =
                |middle: i64, width: i64| (-width..=width).map(move |step| middle.wrapping_add(step) as u64);
            let middles = [i64::MIN >> 1, i64::MIN >> 3, i64::MAX >> 3, (1 << 53), 10];
            around(0, 9)
                .chain(around(i64::MIN, 3))
                .chain(middles.into_iter().flat_map(|m| around(m, 1)))
                .collect()
        }
        Ty::Ref => vec![0, 8, 16, 1 << 40],
        Ty::Float => {
            [0.0, -0.0, 1.0, -1.5, 1e300, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324]
                .map(f64::to_bits)
                .to_vec()
        }
    }
}

/// Checks the answer for the last node; gives the rule's name.
fn check(nodes: &Nodes) -> Option<&'static str> {
    let last = nodes.nodes.len() - 1;
    let Node::Op(op, args) = &nodes.nodes[last] else { unreachable!() };
    let operands: Vec<Operand> = args.iter().map(|arg| nodes.operand(*arg)).collect();
    let (name, answer) = simplify_by(*op, &operands, nodes)?;
    if let Answer::Replace(new, terms) = answer {
        assert_eq!(new.shape().result, op.shape().result, "{name}");
        for (term, wanted) in terms.iter().zip(new.shape().args) {
            let found = match term {
                Term::Int(_) => Ty::Int,
                Term::Operand(operand) => nodes.ty(Nodes::node(*operand)),
            };
            assert_eq!((found == Ty::Int, found == Ty::Ref), (*wanted == b'i', *wanted == b'r'), "{name}");
        }
    }
    let (first, second) = (nodes.domain(0), nodes.domain(1));
    for variables in first.iter().flat_map(|x| second.iter().map(move |y| [*x, *y])) {
        let Some(expected) = nodes.word(last, variables) else {
            // It leaves the trace, which must stay so; or it is not meant to be reached.
            let reached = args.iter().all(|arg| nodes.word(*arg, variables).is_some());
            let stays = matches!(answer, Answer::Replace(new, terms) if {
                new.class() == Class::PureGuard && nodes.replaced(new, &terms, variables).is_none()
            });
            let lost = reached && op.class() == Class::PureGuard && !stays;
            assert!(!lost, "{name}: {nodes:?} lost an overflow at {variables:?}");
            continue;
        };
        let found = match &answer {
            Answer::Keep => Some(expected),
            Answer::Same(operand) => nodes.word(Nodes::node(*operand), variables),
            Answer::Const(word) => Some(*word),
            Answer::Replace(new, terms) => nodes.replaced(*new, terms, variables),
        };
        let is_nan = |word: u64| nodes.ty(last) == Ty::Float && f64::from_bits(word).is_nan();
        let same = found.is_some_and(|found| found == expected || (is_nan(found) && is_nan(expected)));
        assert!(same, "{name}: {nodes:?} at {variables:?}: {found:?} for {expected}, {answer:?}");
    }
    Some(name)
}

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.nodes.fmt(f)
    }
}

/// Variables and constants that expressions are made of, by type.
fn leaves(fact_x: Fact, fact_y: Fact) -> Vec<Node> {
    let mut nodes = vec![Node::Variable(Ty::Int, fact_x), Node::Variable(Ty::Int, fact_y)];
    let ints = [0, 1, 2, 3, 7, 8, 10, 40, 61, 63, -1, -2, -8, i64::MIN, i64::MAX, 1 << 62, 65];
    nodes.extend(ints.map(|word: i64| Node::Const(Ty::Int, word as u64)));
    nodes
}

fn facts() -> Vec<Fact> {
    vec![
        Fact::ANY,
        Fact::BOOL,
        Fact::range(0, 9),
        Fact::range(-9, 9),
        Fact::range(i64::MIN >> 3, i64::MAX >> 3),
        Fact { zeros: 7, ..Fact::ANY }.tightened(),
        Fact::range(0, i64::MAX),
        Fact { ones: 3, ..Fact::ANY }.tightened(),
    ]
}

fn computes(op: &Opcode) -> bool {
    matches!(op.class(), Class::Pure | Class::PureGuard) && !op.is_outcome()
}

fn binary() -> Vec<Opcode> {
    Opcode::ALL.iter().copied().filter(computes).filter(|op| op.shape().args == b"ii").collect()
}

type Fired = BTreeMap<&'static str, usize>;

fn count(fired: &mut Fired, nodes: Vec<Node>) {
    if let Some(name) = check(&Nodes::new(nodes)) {
        *fired.entry(name).or_default() += 1;
    }
}

/// `op(leaf, leaf)` for all operations and leaves.
fn flat(fired: &mut Fired) {
    for fact_x in facts() {
        for fact_y in [Fact::ANY, Fact::range(0, 9), Fact::range(10, 12)] {
            let leaves = leaves(fact_x, fact_y);
            for op in binary() {
                for a in 0..leaves.len() {
                    for b in 0..leaves.len() {
                        let mut nodes = leaves.clone();
                        nodes.push(Node::Op(op, vec![a, b]));
                        count(fired, nodes);
                    }
                }
            }
        }
    }
}

/// `op(inner(x, leaf), leaf)`, and the other way round.
fn nested(fired: &mut Fired) {
    for (index, fact_x) in facts().into_iter().enumerate() {
        let leaves = leaves(fact_x, Fact::ANY);
        let inners: Vec<Opcode> = binary().into_iter().filter(|op| op.class() == Class::Pure).collect();
        for (inner, op) in inners.iter().flat_map(|inner| binary().into_iter().map(move |op| (*inner, op))) {
            for (first, second) in
                (1..leaves.len()).flat_map(|first| (0..leaves.len()).map(move |b| (first, b)))
            {
                // All combinations would take minutes: a quarter of them for each fact, another quarter for the next.
                if !(first + second * 2 + index + inner as usize).is_multiple_of(4) {
                    continue;
                }
                let mut nodes = leaves.clone();
                let made = nodes.len();
                let args = if first == second || second % 3 == 0 { vec![first, 0] } else { vec![0, first] };
                nodes.push(Node::Op(inner, args));
                let mut other = nodes.clone();
                nodes.push(Node::Op(op, vec![made, second]));
                other.push(Node::Op(op, vec![second, made]));
                count(fired, nodes);
                count(fired, other);
            }
        }
    }
}

/// `op(inner(x, c), inner(y, c))`: both sides alike.
fn both_sides(fired: &mut Fired) {
    for fact in facts() {
        let leaves = leaves(fact, fact);
        for (inner, op) in
            binary().into_iter().flat_map(|inner| binary().into_iter().map(move |op| (inner, op)))
        {
            for c in [2, 3, 5, 9, 11] {
                let mut nodes = leaves.clone();
                let made = nodes.len();
                nodes.extend([Node::Op(inner, vec![0, c]), Node::Op(inner, vec![1, c])]);
                nodes.push(Node::Op(op, vec![made, made + 1]));
                count(fired, nodes);
            }
        }
    }
}

fn selects(fired: &mut Fired) {
    for fact in facts() {
        let leaves = leaves(fact, Fact::ANY);
        for test in [Opcode::IntEq, Opcode::IntNe, Opcode::IntLt] {
            for (zero, a, b) in [(2, 0, 1), (2, 3, 2), (2, 2, 3), (3, 1, 0), (4, 1, 1)] {
                let mut nodes = leaves.clone();
                nodes.push(Node::Op(test, vec![0, zero]));
                let tested = nodes.len() - 1;
                for condition in [0, tested, 3] {
                    let mut nodes = nodes.clone();
                    nodes.push(Node::Op(Opcode::Select, vec![condition, a, b]));
                    count(fired, nodes);
                }
            }
        }
    }
}

/// Chains of conversions and float operations over variables of each type.
fn conversions(fired: &mut Fired) {
    let of = |ty: Ty| match ty {
        Ty::Int => b'i',
        Ty::Ref => b'r',
        Ty::Float => b'f',
    };
    let ops: Vec<Opcode> = Opcode::ALL.iter().copied().filter(computes).collect();
    let float = |float: f64| Node::Const(Ty::Float, float.to_bits());
    for (ty, fact) in [
        (Ty::Int, Fact::ANY),
        (Ty::Int, Fact::range(-9, 9)),
        (Ty::Int, Fact { zeros: 5, ones: 2, ..Fact::ANY }.tightened()),
        (Ty::Ref, Fact::ANY),
        (Ty::Float, Fact::ANY),
    ] {
        let mut leaves = vec![Node::Variable(ty, fact), Node::Variable(ty, fact)];
        leaves.extend([
            float(1.0),
            float(-0.0),
            float(0.0),
            Node::Const(Ty::Ref, 0),
            Node::Const(Ty::Int, 8),
        ]);
        for outer in &ops {
            for inner in ops.iter().filter(|inner| inner.shape().args == [of(ty)]) {
                let mut nodes = leaves.clone();
                let made = nodes.len();
                nodes.extend([Node::Op(*inner, vec![0]), Node::Op(*inner, vec![1])]);
                let known = Nodes::new(nodes.clone());
                let fits = |wanted: u8, node: usize| of(known.ty(node)) == wanted;
                for (a, b) in (0..made + 2).flat_map(|a| (0..made + 2).map(move |b| (a, b))) {
                    let args = match outer.shape().args {
                        [wanted] if b == 0 && fits(*wanted, a) => vec![a],
                        [first, second] if fits(*first, a) && fits(*second, b) => vec![a, b],
                        _ => continue,
                    };
                    let mut nodes = nodes.clone();
                    nodes.push(Node::Op(*outer, args));
                    count(fired, nodes);
                }
            }
        }
    }
}

#[test]
fn every_rule_holds_and_fires() {
    let mut fired = Fired::new();
    for family in [flat, nested, both_sides, selects, conversions] {
        family(&mut fired);
    }
    // The rules that the header of the source lists, and no others, were tried.
    let source = include_str!("../src/rules.rs");
    let names = source.split("rule(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let names: BTreeSet<&str> = names.chain(["constant_right"]).collect();
    let tried: BTreeSet<&str> = fired.keys().copied().collect();
    assert_eq!(tried, names, "{fired:?}");
    let header: String = source.lines().take_while(|line| line.starts_with("//!")).collect();
    assert!(names.iter().all(|name| header.contains(&format!(" {name} "))), "{names:?}");
}

#[test]
fn rules_come_to_an_end() {
    // Answers that can be simplified again: never for ever.
    for fact in facts() {
        let leaves = leaves(fact, fact);
        for (inner, op) in
            binary().into_iter().flat_map(|inner| binary().into_iter().map(move |op| (inner, op)))
        {
            for (first, second) in
                (1..leaves.len()).flat_map(|first| (0..leaves.len()).map(move |b| (first, b)))
            {
                let mut nodes = leaves.clone();
                nodes.push(Node::Op(inner, vec![0, first]));
                nodes.push(Node::Op(op, vec![nodes.len() - 1, second]));
                let mut rounds = 0;
                loop {
                    let known = Nodes::new(nodes.clone());
                    let Some(Node::Op(op, args)) = nodes.last() else { unreachable!() };
                    let operands: Vec<Operand> = args.iter().map(|arg| known.operand(*arg)).collect();
                    let Answer::Replace(new, terms) = simplify(*op, &operands, &known) else { break };
                    let wanted = new.shape().args.len();
                    nodes.pop();
                    let args = terms[..wanted].iter().map(|term| match term {
                        Term::Operand(operand) => Nodes::node(*operand),
                        Term::Int(word) => {
                            nodes.push(Node::Const(Ty::Int, *word));
                            nodes.len() - 1
                        }
                    });
                    let args = args.collect();
                    nodes.push(Node::Op(new, args));
                    rounds += 1;
                    assert!(rounds < 6, "{nodes:?}");
                }
            }
        }
    }
}

#[test]
fn examples() {
    let small = Fact::range(0, 1000);
    let mut nodes =
        vec![Node::Variable(Ty::Int, small), Node::Variable(Ty::Int, small), Node::Const(Ty::Int, 3)];
    nodes.extend([Node::Op(Opcode::IntShl, vec![0, 2]), Node::Op(Opcode::IntShl, vec![1, 2])]);
    nodes.push(Node::Op(Opcode::IntLt, vec![3, 4]));
    nodes.push(Node::Const(Ty::Int, 0));
    let known = Nodes::new(nodes);
    let [x, y, three, shifted_x, shifted_y, less, zero] =
        [0, 1, 2, 3, 4, 5, 6].map(|node| known.operand(node));
    let both = |op, a, b| Answer::Replace(op, [Term::Operand(a), Term::Operand(b), Term::Int(0)]);
    assert_eq!(simplify(Opcode::IntLt, &[shifted_x, shifted_y], &known), both(Opcode::IntLt, x, y));
    assert_eq!(simplify(Opcode::IntEq, &[less, zero], &known), both(Opcode::IntLe, shifted_y, shifted_x));
    assert_eq!(simplify(Opcode::IntSar, &[shifted_x, three], &known), Answer::Same(x));
    assert_eq!(simplify(Opcode::IntAddOvf, &[x, y], &known), both(Opcode::IntAdd, x, y));
    assert_eq!(simplify(Opcode::IntAdd, &[three, x], &known), both(Opcode::IntAdd, x, three));
    assert_eq!(simplify(Opcode::IntAdd, &[x, y], &known), Answer::Keep);
    assert_eq!(simplify(Opcode::GuardTrue, &[less], &known), Answer::Keep);
}
