//! Makes a failing program small: delta debugging by lines (Zeller and Hildebrandt, 2002), which takes
//! away ever smaller runs of lines as long as the program still fails.

/// The smallest text found for which `fails` holds; `text` itself must be one. A program whose layout
/// breaks when a line is gone simply does not fail any more in the way that is looked for. `attempts`
/// bounds the number of questions.
pub fn lines(text: &str, attempts: usize, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let mut kept = text.lines().collect::<Vec<_>>();
    let mut left = attempts;
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut shrunk = false;
        let mut start = 0;
        while start < kept.len() {
            if left == 0 {
                return join(&kept);
            }
            left -= 1;
            let end = (start + size).min(kept.len());
            let candidate = [&kept[..start], &kept[end..]].concat();
            if fails(&join(&candidate)) {
                kept = candidate;
                shrunk = true;
            } else {
                start = end;
            }
        }
        // Taking a line away may make another one superfluous: go on with single lines while it helps.
        if !shrunk || size > 1 {
            size /= 2;
        }
    }
    join(&kept)
}

fn join(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_matter_are_kept() {
        let text = (0..100).map(|number| format!("{number}\n")).collect::<String>();
        let mut asked = 0;
        let reduced = lines(&text, 10_000, &mut |candidate| {
            asked += 1;
            let has = |wanted: &str| candidate.lines().any(|line| line == wanted);
            has("7") && has("8") && has("93")
        });
        assert_eq!(reduced, "7\n8\n93\n");
        assert!(asked < 200, "{asked}");
    }

    #[test]
    fn lines_that_go_only_after_others_are_found() {
        // A definition can be dropped only when its use has been.
        let text = "define\nuse\nfault\n";
        let reduced = lines(text, 100, &mut |candidate| {
            candidate.contains("fault") && (candidate.contains("define") || !candidate.contains("use"))
        });
        assert_eq!(reduced, "fault\n");
    }

    #[test]
    fn questions_are_bounded() {
        let mut asked = 0;
        lines("a\nb\nc\nd\n", 3, &mut |_| {
            asked += 1;
            false
        });
        assert_eq!(asked, 3);
    }
}
