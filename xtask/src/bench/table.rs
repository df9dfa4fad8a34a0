//! The table of a race: medians of CPU seconds, and the paired ratios with the first contestant.

use std::fmt::Write as _;

/// One contestant's measurements, round by round.
pub struct Row {
    pub label: &'static str,
    pub goal: Option<f64>,
    pub times: Vec<f64>,
}

/// The table's text, and how many goals were missed. `judged` says whether goals mean anything.
pub fn render(rows: &[Row], judged: bool) -> (String, usize) {
    let mut text = String::new();
    let mut missed = 0;
    let first = &rows[0];
    let width = rows.iter().map(|row| row.label.len()).max().unwrap_or(0).max(8);
    let heading = format!("{} / this", first.label);
    // Writing into a String can't fail.
    let _ = writeln!(text, "  {:width$}  {:>8} {:>8} {:>8}  {heading}", "CPU s", "median", "least", "most");
    for (index, row) in rows.iter().enumerate() {
        let least = row.times.iter().copied().fold(f64::INFINITY, f64::min);
        let most = row.times.iter().copied().fold(0.0, f64::max);
        let _ = write!(text, "  {:width$}  {:8.3} {least:8.3} {most:8.3}", row.label, median(&row.times));
        if index > 0 {
            let ratio = ratio(first, row);
            let _ = write!(text, "  {ratio:.3}");
            if let (Some(goal), true) = (row.goal, judged) {
                let met = ratio <= goal;
                missed += usize::from(!met);
                let _ = write!(text, " (goal {goal}: {})", if met { "met" } else { "MISSED" });
            }
        }
        text.push('\n');
    }
    (text, missed)
}

/// The median of the paired ratios of two contestants.
pub fn ratio(first: &Row, other: &Row) -> f64 {
    median(&first.times.iter().zip(&other.times).map(|(first, other)| first / other).collect::<Vec<_>>())
}

/// What all benchmarks come down to: the ratios with each peer and their geometric mean, as a table in
/// Markdown.
pub fn summary(results: &[(&'static str, Vec<(&'static str, f64)>)]) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for (peer, _) in results.iter().flat_map(|(_, ratios)| ratios) {
        if !peers.contains(peer) {
            peers.push(peer);
        }
    }
    let line = |name: &str, find: &dyn Fn(&str) -> Option<f64>| {
        let cell = |peer: &&str| find(peer).map_or(" |".to_string(), |ratio| format!(" {ratio:.2} |"));
        format!("| {name} |{}\n", peers.iter().map(cell).collect::<String>())
    };
    let mut text =
        format!("| CPU time / |{}\n", peers.iter().map(|peer| format!(" {peer} |")).collect::<String>());
    text += &format!("|---|{}\n", "---|".repeat(peers.len()));
    for (name, ratios) in results {
        text += &line(name, &|peer| ratios.iter().find(|it| it.0 == peer).map(|it| it.1));
    }
    text + &line("geometric mean", &|peer| {
        let all = results.iter().flat_map(|(_, ratios)| ratios).filter(|it| it.0 == peer);
        let logarithms = all.map(|it| it.1.ln()).collect::<Vec<_>>();
        Some((logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
    })
}

/// The middle value, or the mean of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ratios_are_paired_and_judged() {
        let row = |label, goal, times: &[f64]| Row { label, goal, times: times.to_vec() };
        let rows = [
            row("mine", None, &[1.0, 2.0, 10.0]),
            row("near", Some(1.5), &[1.0, 2.0, 10.0]),
            row("far", Some(0.4), &[2.0, 4.0, 20.0]),
        ];
        let (text, missed) = render(&rows, true);
        assert_eq!(missed, 1);
        assert!(text.contains("1.000 (goal 1.5: met)"), "{text}");
        assert!(text.contains("0.500 (goal 0.4: MISSED)"), "{text}");
        assert_eq!(render(&rows, false).1, 0);
    }

    #[test]
    fn a_summary_has_geometric_means() {
        let results = [("a", vec![("x", 0.5), ("y", 1.0)]), ("b", vec![("x", 2.0)])];
        let text = summary(&results);
        assert!(text.contains("| a | 0.50 | 1.00 |\n| b | 2.00 | |\n"), "{text}");
        assert!(text.ends_with("| geometric mean | 1.00 | 1.00 |\n"), "{text}");
    }
}
