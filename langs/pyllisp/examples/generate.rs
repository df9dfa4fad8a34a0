//! Prints the random program of a seed: `generate SEED`.

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(0);
    print!("{}", hotloop_pyllisp::generate::program(seed));
}
