//! The warm-up times as a picture: a line per program, a mark per contestant, time on a logarithmic scale.

use std::fmt::Write as _;

use super::Row;

const LEFT: f64 = 110.0;
const WIDTH: f64 = 560.0;
const TOP: f64 = 50.0;
const LINE: f64 = 22.0;
/// Milliseconds at the left and right end.
const RANGE: (f64, f64) = (5.0, 5000.0);
/// Distinguishable for colour-blind people, too; the shapes differ as well.
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

pub fn svg(rows: &[Row]) -> String {
    let height = TOP + LINE * rows.len() as f64 + 40.0;
    let bottom = TOP + LINE * rows.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        LEFT + WIDTH + 30.0
    );
    for tick in [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] {
        let x = place(f64::from(tick));
        // Writing into a String can't fail.
        let _ = writeln!(out, "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>");
        let _ =
            writeln!(out, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>", bottom + 16.0);
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">ms of CPU time until within 5 % of the steady state</text>",
        LEFT + WIDTH / 2.0,
        bottom + 33.0
    );
    if let Some(first) = rows.first() {
        for (index, contestant) in first.contestants.iter().enumerate() {
            let x = LEFT + 120.0 * index as f64;
            mark(&mut out, index, x, 22.0);
            let _ = writeln!(out, "<text x=\"{}\" y=\"26\">{}</text>", x + 10.0, contestant.label);
        }
    }
    for (number, row) in rows.iter().enumerate() {
        let y = TOP + LINE * (number as f64 + 0.5);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 10.0,
            y + 4.0,
            row.name
        );
        let _ = writeln!(out, "<path d=\"M{LEFT} {y}H{}\" stroke=\"#eee\"/>", LEFT + WIDTH);
        for (index, contestant) in row.contestants.iter().enumerate() {
            mark(&mut out, index, place(contestant.warm * 1e3), y);
        }
    }
    out + "</svg>\n"
}

/// Where a number of milliseconds is.
fn place(ms: f64) -> f64 {
    let (least, most) = RANGE;
    LEFT + WIDTH * (ms.clamp(least, most) / least).ln() / (most / least).ln()
}

fn mark(out: &mut String, contestant: usize, x: f64, y: f64) {
    let colour = COLOURS[contestant % COLOURS.len()];
    let _ = match contestant {
        0 => writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"5\" fill=\"{colour}\"/>"),
        1 => writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{}\" width=\"9\" height=\"9\" fill=\"{colour}\"/>",
            x - 4.5,
            y - 4.5
        ),
        _ => writeln!(out, "<path d=\"M{x:.1} {}l5.5 10h-11z\" fill=\"{colour}\"/>", y - 6.0),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::warmup::Warmth;

    #[test]
    fn every_program_has_its_marks() {
        let warmth = |label, warm| Warmth { label, steady: 0.001, warm, excess: 0.01 };
        let contestants = vec![warmth("hotloop", 0.02), warmth("pypy3", 0.2), warmth("luajit", 0.001)];
        let picture = svg(&[Row { name: "fib", contestants }]);
        // One mark in the legend, one in the line.
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
        assert!(place(5.0) == LEFT && place(1.0) == LEFT && place(5000.0) == LEFT + WIDTH);
    }
}
