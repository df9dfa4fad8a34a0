//! Which version of a loop a trace goes on in.
//!
//! A loop is recorded with values of some types, and with some promoted constants: that is what its preamble
//! [`Wants`], and who comes with anything else fails there. So a loop may be compiled in several versions, each with a
//! preamble of its own, and a trace that ends at the loop goes on in the one that wants what it has. A bridge that has
//! what none of them wants is a *misfit*: another version should be recorded.
//!
//! ```text
//! loop 0    …; guard_type p Closure; c = getfield p Closure.code; guard_value c, 5; …
//! bridge    …; c = getfield p Closure.code; guard_value c, 7; …; enter 1        or a misfit: there is no loop 1
//! loop 1    …; guard_type p Closure; c = getfield p Closure.code; guard_value c, 7; …
//! ```
//!
//! Nothing depends on the choice being right: each preamble has its guards. So what may have been written between the
//! loop's beginning and a read counts as wanted, too.
//! Source: retraced loops of RPython (`optimizeopt/unroll.py`), which share one preamble.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use hotloop_ir::{Fact, FieldId, Opcode, Operand, Var};

use crate::pipeline::Optimizer;
use crate::value::{Place, Slot, Val};

/// What a loop's preamble wants of its inputs.
#[derive(Clone, Debug, Default)]
pub struct Wants(Vec<Want>);

/// What is wanted of one input, or of what is found behind it.
#[derive(Clone, Debug)]
struct Want {
    input: usize,
    path: Vec<Turn>,
    /// Of which kind it is, or the constant that was promoted.
    fact: Fact,
}

/// From a value to what is behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Turn {
    /// The object of a tagged value.
    Object,
    /// What the field with this number holds.
    Field(u32),
}

/// Paths are no longer than that.
const LONGEST: usize = 6;

/// A version of a loop.
#[derive(Clone, Copy, Debug)]
pub struct Version<'v> {
    /// Its number, as in `enter`.
    pub code: u32,
    /// What its preamble wants.
    pub wants: &'v Wants,
    /// Its inputs that may be tokens for frames.
    pub tokens: &'v [u32],
}

/// What kind of value it is.
fn kind(known: &Fact) -> Fact {
    // The tags of few numbers say which numbers these are.
    let few = known.hi.checked_sub(known.lo).is_some_and(|width| width < 8);
    let tags = if few { Fact::ANY.tags } else { known.tags };
    Fact { tags, heap_type: known.heap_type, ..Fact::ANY }
}

impl Optimizer<'_> {
    /// What the sweep so far, a preamble, wants of the inputs.
    pub fn wants(&self) -> Wants {
        let out = &self.state.out;
        let promoted: HashSet<Operand> =
            out.ops.iter().filter(|op| op.code == Opcode::GuardValue).map(|op| op.args[0]).collect();
        let mut paths: HashMap<Operand, (usize, Vec<Turn>)> = HashMap::default();
        let mut seen = HashSet::default();
        let mut wants = Vec::new();
        for (index, op) in out.ops.iter().enumerate() {
            let turn = match op.code {
                Opcode::Input => None,
                Opcode::ValueToRef => Some(Turn::Object),
                Opcode::GetField => Some(Turn::Field(op.descr)),
                _ => continue,
            };
            let (input, path) = match turn {
                None => (index, Vec::new()),
                Some(turn) => match paths.get(&op.args[0]) {
                    Some((input, path)) if path.len() < LONGEST => {
                        (*input, path.iter().copied().chain([turn]).collect())
                    }
                    _ => continue,
                },
            };
            // A second read is of something that was written meanwhile.
            if !seen.insert((input, path.clone())) {
                continue;
            }
            let operand = Operand::var(Var(index as u32));
            let known = self.fact(operand);
            let constant = known.constant().filter(|_| promoted.contains(&operand));
            let fact = constant.map_or_else(|| kind(&known), Fact::exactly);
            if !fact.is_any() {
                wants.push(Want { input, path: path.clone(), fact });
            }
            paths.insert(operand, (input, path));
        }
        Wants(wants)
    }

    /// The version that wants most of what these are and nothing that they are not; none of them: a misfit.
    pub fn choose(&self, args: &[Val]) -> Option<usize> {
        let versions = self.versions;
        let fits =
            (0..versions.len()).filter_map(|index| Some((self.met(versions[index].wants, args)?, index)));
        // Of equals the first.
        let best = fits.max_by_key(|(met, index)| (*met, usize::MAX - index));
        best.map(|(_, index)| index)
    }

    /// How much of what is wanted is certain; nothing if something else is.
    fn met(&self, wants: &Wants, args: &[Val]) -> Option<usize> {
        let mut met = 0;
        for want in &wants.0 {
            let Some(found) = args.get(want.input).and_then(|value| self.behind(*value, &want.path)) else {
                continue;
            };
            let other_type =
                found.heap_type.zip(want.fact.heap_type).is_some_and(|(found, wanted)| found != wanted);
            if other_type || found.and(&want.fact).is_impossible() {
                return None;
            }
            met += usize::from(found.implies(&want.fact));
        }
        Some(met)
    }

    /// What is known of what is at the end of the path.
    fn behind(&self, value: Val, path: &[Turn]) -> Option<Fact> {
        let mut value = self.settled(value);
        for turn in path {
            value = self.settled(match (turn, value) {
                (Turn::Object, Val::Tagged(id)) => Val::Virtual(id),
                (Turn::Object, Val::Op(operand)) => {
                    Val::Op(self.known_result_of(Opcode::ValueToRef, 0, operand)?)
                }
                (Turn::Field(field), Val::Op(object)) => {
                    // Of fields that don't change it is known like a result.
                    let written = || self.state.heap.content(object, Place::Field(*field));
                    Val::Op(self.known_result_of(Opcode::GetField, *field, object).or_else(written)?)
                }
                (Turn::Field(field), Val::Virtual(id)) => {
                    let object = &self.state.objects[id.0 as usize];
                    let slot = object.ty.get().fields.iter().position(|one| *one == FieldId(*field))?;
                    match object.slots[slot] {
                        Slot::Known(value) => value,
                        Slot::Unknown | Slot::Dead => return None,
                    }
                }
                _ => return None,
            });
        }
        Some(match value {
            Val::Op(operand) => self.fact(operand),
            Val::Virtual(id) => {
                Fact { tags: 1, heap_type: Some(self.state.objects[id.0 as usize].ty.0), ..Fact::ANY }
            }
            Val::Tagged(_) => Fact { tags: 1 << 0b010, ..Fact::ANY },
        })
    }

    /// What an operation on this operand gave before.
    fn known_result_of(&self, code: Opcode, descr: u32, arg: Operand) -> Option<Operand> {
        self.state.pure.get(&(code, descr, [arg, Operand::NONE, Operand::NONE])).copied()
    }

    /// The value as it stands now, but for references that are still to be tagged.
    fn settled(&self, value: Val) -> Val {
        match value {
            Val::Virtual(id) => self.real(id).map_or(value, Val::Op),
            _ => value,
        }
    }
}
