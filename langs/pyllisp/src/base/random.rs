//! The module `random`: xoshiro256** (Blackman and Vigna, 2018), seeded through SplitMix64. The same seed gives
//! the same numbers on every machine. Not for secrets.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use hotloop::prelude::*;

use super::{expect, float, module, nothing, object, small};
use crate::object::{List, list};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    module(
        interp,
        "random",
        &[
            ("seed", Work::Native(seed)),
            ("random", Work::Native(random)),
            ("uniform", Work::Native(uniform)),
            ("integer", Work::Native(integer)),
            ("choice", Work::Native(choice)),
            ("shuffle", Work::Native(shuffle)),
        ],
    );
}

/// The state of a generator.
#[derive(Debug)]
pub(crate) struct Generator(Cell<[u64; 4]>);

impl Generator {
    /// One whose numbers nobody knows beforehand.
    pub(crate) fn unknown() -> Generator {
        Generator(Cell::new(expanded(RandomState::new().hash_one(0))))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.get();
        let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        self.0.set(state);
        result
    }

    /// A number from 0 to `last`, each as likely as the others: what would prefer some is drawn again.
    fn up_to(&self, last: u64) -> u64 {
        let Some(count) = last.checked_add(1) else { return self.next() };
        let unfair = (u64::MAX % count + 1) % count;
        loop {
            let drawn = self.next();
            if drawn <= u64::MAX - unfair {
                return drawn % count;
            }
        }
    }

    /// A float from 0 on, below 1.
    fn fraction(&self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The state of a seed: four numbers of SplitMix64.
fn expanded(mut seed: u64) -> [u64; 4] {
    [0; 4].map(|_: u64| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    })
}

fn seed(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    interp.random.0.set(expanded(small(interp, args, 0)? as u64));
    nothing()
}

fn random(interp: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    Ok(Value::from_float(interp.runtime(), interp.random.fraction().into()))
}

/// `(random.uniform low high)`: a float between them
fn uniform(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (low, high) = (float(interp, args, 0)?, float(interp, args, 1)?);
    let drawn = low + (high - low) * interp.random.fraction();
    Ok(Value::from_float(interp.runtime(), drawn.into()))
}

/// `(random.integer low high)`: one of these or between them
fn integer(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (low, high) = (small(interp, args, 0)?, small(interp, args, 1)?);
    if low > high {
        return Err(interp.error(&format!("no integers from {low} to {high}")));
    }
    // Both have 61 bits, and so has everything between them.
    let drawn = interp.random.up_to((high - low) as u64);
    Ok(Value::small(low + drawn as i64))
}

fn choice(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list: List<Plain> = object(interp, args, 0, interp.interfaces.list)?;
    match (list::length(list) as u64).checked_sub(1) {
        Some(last) => Ok(list::get(list, interp.random.up_to(last) as usize)),
        None => Err(interp.error("choice from nothing")),
    }
}

/// `(random.shuffle list)`: its elements in a random order (Fisher and Yates)
fn shuffle(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let list: List<Plain> = object(interp, args, 0, interp.interfaces.list)?;
    for last in (1..list::length(list)).rev() {
        let chosen = interp.random.up_to(last as u64) as usize;
        list::swap(list, last, chosen);
    }
    nothing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_numbers() {
        // SplitMix64 of the seed 1234567, as its author's program prints them.
        let expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        assert_eq!(expanded(1234567), expected);
        // xoshiro256** from the state 1, 2, 3, 4.
        let generator = Generator(Cell::new([1, 2, 3, 4]));
        assert_eq!([generator.next(), generator.next(), generator.next()], [11520, 0, 1509978240]);
    }

    #[test]
    fn numbers_stay_in_range() {
        let generator = Generator(Cell::new(expanded(1)));
        let mut seen = [0; 5];
        (0..1000).for_each(|_| seen[generator.up_to(4) as usize] += 1);
        assert!(seen.iter().all(|count| (150..250).contains(count)), "{seen:?}");
        assert!((0..1000).map(|_| generator.fraction()).all(|float| (0.0..1.0).contains(&float)));
        generator.up_to(u64::MAX);
    }
}
