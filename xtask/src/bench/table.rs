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
            let ratios = first.times.iter().zip(&row.times).map(|(first, this)| first / this);
            let ratio = median(&ratios.collect::<Vec<_>>());
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

/// The middle value, or the mean of the middle two.
fn median(values: &[f64]) -> f64 {
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
}
