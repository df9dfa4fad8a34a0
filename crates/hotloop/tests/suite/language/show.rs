//! Values and object graphs as text, the same for the same graph wherever its objects lie.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

use hotloop::prelude::*;

use super::Tiny;
use super::types::{Array, Bytes, Cell, Closure, Config, Frame, Generator, Ints, List, Pair};

/// Numbers objects in the order in which they are met.
#[derive(Default)]
struct Graph {
    numbers: HashMap<u64, usize>,
    queue: VecDeque<usize>,
}

impl Graph {
    fn word(&mut self, words: &Array<Plain>, value: Value<Plain>) -> String {
        if let Some(number) = value.as_int() {
            return format!("{}", number.get());
        }
        if let Some(float) = value.as_float() {
            return format!("{:?}", float.get());
        }
        if !value.is_reference() {
            return format!("#{}", value.raw() >> 3);
        }
        let next = self.numbers.len();
        let number = *self.numbers.entry(value.raw()).or_insert(next);
        if number == next {
            assert!(next < words.items_len().get() as usize, "a huge graph");
            // The collector sees heap arrays, not vectors.
            words.set_items(next, value);
            self.queue.push_back(number);
        }
        format!("@{number}")
    }
}

impl Tiny {
    /// A value; objects only by their type.
    pub fn show(&self, value: Value<Plain>, depth: u32) -> String {
        if let Some(number) = value.as_int() {
            return format!("{}", number.get());
        }
        if let Some(float) = value.as_float() {
            return format!("{:?}", float.get());
        }
        if !value.is_reference() {
            return format!("#{}", value.raw() >> 3);
        }
        match value.cast::<Pair<Plain>>() {
            Some(pair) if depth > 0 => {
                format!("({} . {})", self.show(pair.first(), depth - 1), self.show(pair.second(), depth - 1))
            }
            _ => "object".to_string(),
        }
    }

    /// All that is reachable.
    pub fn show_graph(&self, roots: &[Value<Plain>]) -> String {
        const MOST: u32 = 20_000;
        let words = Array::<Plain>::new(&self.runtime, MOST);
        let mut graph = Graph::default();
        let mut text = String::new();
        for root in roots {
            let word = graph.word(&words, *root);
            let _ = write!(text, "{word} ");
        }
        while let Some(number) = graph.queue.pop_front() {
            let value = words.items(number);
            let mut put = |graph: &mut Graph, name: &str, value: Value<Plain>| {
                let word = graph.word(&words, value);
                let _ = write!(text, " {name}{word}");
            };
            let null = Value::<Plain>::special(0);
            if let Some(pair) = value.cast::<Pair<Plain>>() {
                put(&mut graph, "\npair ", pair.first());
                put(&mut graph, "", pair.second());
            } else if let Some(cell) = value.cast::<Cell<Plain>>() {
                put(&mut graph, "\ncell ", cell.value());
                put(&mut graph, "link ", cell.link().map_or(null, |pair| pair.to_value()));
                let _ = write!(text, " {} {:?}", cell.count().get(), cell.weight().get());
            } else if let Some(array) = value.cast::<Array<Plain>>() {
                put(&mut graph, "\narray", null);
                for index in 0..array.items_len().get() {
                    put(&mut graph, "", array.items(index));
                }
            } else if let Some(bytes) = value.cast::<Bytes<Plain>>() {
                let items: Vec<i64> =
                    (0..bytes.items_len().get()).map(|index| bytes.items(index).get()).collect();
                let _ = write!(text, "\nbytes {items:?}");
            } else if let Some(ints) = value.cast::<Ints<Plain>>() {
                let items: Vec<i64> =
                    (0..ints.items_len().get()).map(|index| ints.items(index).get()).collect();
                let _ = write!(text, "\nints {items:?}");
            } else if let Some(list) = value.cast::<List<Plain>>() {
                put(&mut graph, "\nlist ", list.storage());
                let _ = write!(text, " {}", list.length().get());
            } else if let Some(config) = value.cast::<Config<Plain>>() {
                put(&mut graph, "\nconfig ", config.kind());
                let _ = write!(text, " {}", config.version().get());
            } else if let Some(closure) = value.cast::<Closure<Plain>>() {
                put(&mut graph, "\nclosure ", closure.captured());
                let _ = write!(text, " {}", closure.code().name);
            } else if let Some(generator) = value.cast::<Generator<Plain>>() {
                put(&mut graph, "\ngenerator ", generator.frame().map_or(null, |frame| frame.to_value()));
                let _ = write!(text, " {}", generator.running().get());
            } else if let Some(frame) = value.cast::<Frame<Plain>>() {
                put(&mut graph, "\nframe back ", frame.back().map_or(null, |back| back.to_value()));
                put(
                    &mut graph,
                    "generator ",
                    frame.generator().map_or(null, |generator| generator.to_value()),
                );
                put(&mut graph, "note ", frame.note());
                // Where registers die before the frame does, what they hold is nobody's business.
                if frame.code().live.is_none() {
                    for index in 0..frame.slots_len().get() {
                        put(&mut graph, "", frame.slots(index));
                    }
                }
                let _ = write!(text, " {} {} {}", frame.code().name, frame.pc(), frame.depth().get());
            } else {
                panic!("an object of no known type");
            }
        }
        text
    }
}
