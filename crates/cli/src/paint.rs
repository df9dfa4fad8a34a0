//! Values in colours, on a terminal whose user does not say otherwise (https://no-color.org).

use std::env;
use std::io::{self, IsTerminal};

use hotloop::{Plain, Value};
use hotloop_pyllisp::object::{self, Interface, Str, number};

/// Whether values are shown in colours.
pub fn wanted() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

/// The text of a value in the colour of its kind.
pub fn painted(value: Value<Plain>, text: &str) -> String {
    let colour = if number::as_integer(value).is_some() || value.as_float().is_some() {
        Some(36)
    } else if value.is::<Str<Plain>>() {
        Some(32)
    } else if object::as_boolean(value).is_some() {
        Some(33)
    } else if value.is::<Interface<Plain>>() {
        Some(35)
    } else {
        None
    };
    match colour {
        Some(colour) => format!("\x1b[{colour}m{text}\x1b[0m"),
        None => text.to_string(),
    }
}
