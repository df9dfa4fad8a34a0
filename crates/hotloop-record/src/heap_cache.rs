//! What the recorder knows of memory, so that most reads need no operation.
//!
//! Keyed by the trace's operand for the object, never by its address: two operands that happen to be the
//! same object now need not be next time. An object made in this trace that has not *escaped*, and the
//! virtualizable, can't be reached in any other way; all others of the same kind may be the same object.

use rustc_hash::FxHashMap as HashMap;

use hotloop_ir::{Operand, Var};

use crate::Red;

/// A place: which field (of any object), or which constant index of which array type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlaceKey {
    /// The field with this number.
    Field(u32),
    /// Array type, index.
    Item(u32, u32),
}

/// How an object can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// Made in this trace and reachable only through operands of this trace.
    Fresh,
    /// The trace's own frame.
    Virtualizable,
}

/// Knowledge of memory.
#[derive(Debug, Default)]
pub struct HeapCache {
    places: HashMap<PlaceKey, Vec<(Operand, Red)>>,
    origins: HashMap<Var, Origin>,
    /// Fresh objects that were stored in a fresh object: they escape with it.
    held: HashMap<Var, Vec<Var>>,
}

impl HeapCache {
    /// An object was made in this trace.
    pub fn made(&mut self, object: Var) {
        self.origins.insert(object, Origin::Fresh);
    }

    /// The object is the trace's own frame.
    pub fn set_virtualizable(&mut self, object: Var) {
        self.origins.insert(object, Origin::Virtualizable);
    }

    /// Whether the object was made in this trace and has not escaped.
    pub fn is_fresh(&self, object: Operand) -> bool {
        object.as_var().and_then(|var| self.origins.get(&var)) == Some(&Origin::Fresh)
    }

    fn is_private(&self, object: Operand) -> bool {
        object.as_var().is_some_and(|var| self.origins.contains_key(&var))
    }

    /// What is in the place, if it is known.
    pub fn get(&self, object: Operand, place: PlaceKey) -> Option<Red> {
        let known = self.places.get(&place)?;
        known.iter().find(|(owner, _)| *owner == object).map(|(_, value)| *value)
    }

    /// The place was read.
    pub fn read(&mut self, object: Operand, place: PlaceKey, value: Red) {
        self.places.entry(place).or_default().push((object, value));
    }

    /// The place was written: what others held in the same kind of place may be gone.
    pub fn written(&mut self, object: Operand, place: PlaceKey, value: Red) {
        self.forget_aliases(object, place);
        self.places.entry(place).or_default().push((object, value));
        self.stored(object, value);
    }

    /// Some item of the array was written, the index is not known.
    pub fn item_written(&mut self, object: Operand, ty: u32, value: Red) {
        let keys: Vec<PlaceKey> = self
            .places
            .keys()
            .copied()
            .filter(|key| matches!(key, PlaceKey::Item(owner, _) if *owner == ty))
            .collect();
        for key in keys {
            self.forget_aliases(object, key);
        }
        if let Some(value) = value.operand.as_var() {
            self.escape(value);
        }
        self.expose(object);
    }

    /// Items of one object were copied to another, of this type.
    pub fn items_copied(&mut self, from: Operand, to: Operand, ty: u32) {
        self.item_written(to, ty, Red::constant(0));
        self.expose(from);
    }

    /// What the object holds may be read under another name: its places are not all known any more, or
    /// were read by an index that is not known.
    pub fn expose(&mut self, object: Operand) {
        let held = object.as_var().and_then(|var| self.held.remove(&var));
        for held in held.unwrap_or_default() {
            self.escape(held);
        }
    }

    fn forget_aliases(&mut self, object: Operand, place: PlaceKey) {
        let private = self.is_private(object);
        let origins = &self.origins;
        if let Some(known) = self.places.get_mut(&place) {
            known.retain(|(owner, _)| {
                let owner_private = owner.as_var().is_some_and(|var| origins.contains_key(&var));
                // Two constants are two objects.
                *owner != object && (private || owner_private || (owner.is_const() && object.is_const()))
            });
        }
    }

    fn stored(&mut self, object: Operand, value: Red) {
        let Some(value) = value.operand.as_var() else { return };
        match object.as_var() {
            Some(holder) if self.origins.contains_key(&holder) => {
                self.held.entry(holder).or_default().push(value)
            }
            _ => self.escape(value),
        }
    }

    /// The object can now be reached in other ways.
    pub fn escape(&mut self, object: Var) {
        // A tagged reference is another operand than the object's: both are tracked through `held`.
        if self.origins.get(&object) != Some(&Origin::Virtualizable) {
            self.origins.remove(&object);
        }
        for held in self.held.remove(&object).unwrap_or_default() {
            self.escape(held);
        }
    }

    /// What these refer to is handed over to code that may do anything with it, except to the objects
    /// `kept` (and what only they hold).
    pub fn hand_over(&mut self, given: &[Operand], kept: &[Operand]) {
        for operand in given {
            let Some(var) = operand.as_var() else { continue };
            if !kept.contains(operand) {
                self.escape(var);
                continue;
            }
            for held in self.held.get(&var).cloned().unwrap_or_default() {
                if !kept.contains(&Operand::var(held)) {
                    self.escape(held);
                }
            }
        }
    }

    /// `alias` is the same object under another operand (tagged): it escapes with it.
    pub fn aliased(&mut self, object: Var, alias: Var) {
        self.held.entry(alias).or_default().push(object);
    }

    /// Native code ran that may have written any object it can reach.
    pub fn clobber(&mut self, frames_too: bool) {
        if frames_too {
            // What the frame holds could be reached through it.
            let frames = self.origins.iter().filter(|(_, origin)| **origin == Origin::Virtualizable);
            for frame in frames.map(|(frame, _)| *frame).collect::<Vec<Var>>() {
                self.expose(frame.into());
            }
        }
        let origins = &self.origins;
        for known in self.places.values_mut() {
            known.retain(|(owner, _)| match owner.as_var().and_then(|var| origins.get(&var)) {
                Some(Origin::Fresh) => true,
                Some(Origin::Virtualizable) => !frames_too,
                None => false,
            });
        }
    }

    /// Calls `visit` with every word that is known.
    pub fn visit_words(&self, visit: &mut dyn FnMut(u64)) {
        self.places.values().flatten().for_each(|(_, value)| visit(value.bits));
    }
}
