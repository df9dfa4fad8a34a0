//! The descriptions of headers that are in the tree.

use std::path::Path;

use hotloop_ffi::description::{Constant, Description, Meaning};
use hotloop_ffi::{Kind, Type};

fn in_tree(name: &str) -> Description {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("headers");
    let text = std::fs::read_to_string(folder.join(name)).expect("the description is in the tree");
    Description::read(&text).expect("the description can be read")
}

fn ty(description: &Description, name: &str) -> &'static Type {
    match description.find(name) {
        Ok(Some(Meaning::Type(ty))) => ty,
        _ => panic!("{name} is no type"),
    }
}

#[test]
fn all_names_of_those_in_the_tree_mean_something() {
    for name in ["libSDL2.json", "libc.json", "libm.json", "libz.json"] {
        let description = in_tree(name);
        for symbol in description.names() {
            match description.find(symbol) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{name}: {symbol} is nowhere"),
                Err(error) => panic!("{name}: {symbol}: {error}"),
            }
        }
    }
}

#[test]
fn prefixes_may_be_left_out() {
    let sdl = in_tree("libSDL2.json");
    assert!(matches!(sdl.find("WINDOW_SHOWN"), Ok(Some(Meaning::Constant(Constant::Int(4))))));
    assert!(matches!(sdl.find("SDL_WINDOW_SHOWN"), Ok(Some(Meaning::Constant(Constant::Int(4))))));
    let Ok(Some(Meaning::Symbol(symbol, function))) = sdl.find("CreateWindow") else { panic!("no function") };
    assert_eq!(symbol, "SDL_CreateWindow");
    assert!(matches!(function.kind, Kind::Function(_)));
    assert!(matches!(sdl.find("NO_SUCH"), Ok(None)));
    assert_eq!(ty(&sdl, "Rect").size(), Ok(16));
    assert_eq!(ty(&sdl, "Event").size(), Ok(56));
    assert_eq!(ty(&sdl, "Event").to_string(), "union SDL_Event");
    assert!(ty(&sdl, "Window").size().is_err());
}
