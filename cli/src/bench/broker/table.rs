//! The table, for a terminal and for a README.

use comfy_table::{CellAlignment, Table};

use super::quantity::Verdict;
use super::rows::Row;
use crate::bench::numbers::Spread;
use crate::output;

/// Columns of the table that hold numbers, where there is another side.
const NUMBERS: std::ops::Range<usize> = 2..5;
/// What stands where there is nothing to say.
const NONE: &str = "–";

/// The table for a terminal. `theirs` names the other side; without it its columns are left out.
#[must_use]
pub fn terminal(rows: &[Row], theirs: Option<&str>) -> String {
    let head = head(theirs);
    let mut table: Table = output::table(&head);
    for row in rows {
        table.add_row(cells(row, theirs.is_some(), "\n"));
    }
    for at in NUMBERS.filter(|at| *at == NUMBERS.start || theirs.is_some()) {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

/// The table as Markdown.
#[must_use]
pub fn markdown(rows: &[Row], theirs: Option<&str>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head(theirs).iter().map(|cell| (*cell).to_owned()).collect();
    let is_number = |at: usize| NUMBERS.contains(&at) && (at == NUMBERS.start || theirs.is_some());
    let rule = (0..head.len()).map(|at| if is_number(at) { "---:" } else { "---" });
    let mut text = line(&head);
    text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
    rows.iter().for_each(|row| text.push_str(&line(&cells(row, theirs.is_some(), " "))));
    text
}

fn head(theirs: Option<&str>) -> Vec<&str> {
    let others = theirs.into_iter().flat_map(|theirs| [theirs, "ratio"]);
    ["figure", "unit", "this broker"].into_iter().chain(others).chain(["target", "verdict"]).collect()
}

/// The cells of a row; the extremes come after the median and `between`.
fn cells(row: &Row, beside: bool, between: &str) -> Vec<String> {
    let value = |spread: Option<&Spread>, unit: &str| match spread {
        None => NONE.to_owned(),
        Some(Spread { median, rounds, .. }) if rounds.len() < 2 => format!("{}{unit}", short(*median)),
        Some(Spread { median, lowest, highest, .. }) => {
            format!("{}{unit}{between}({}..{})", short(*median), short(*lowest), short(*highest))
        }
    };
    let mut cells = vec![row.figure.clone(), row.unit.to_owned(), value(Some(&row.ours), "")];
    if beside {
        cells.push(value(row.theirs.as_ref(), ""));
        cells.push(value(row.ratio.as_ref(), "x"));
    }
    cells.push(row.target.clone().unwrap_or_else(|| NONE.to_owned()));
    cells.push(row.verdict.map_or(NONE, Verdict::text).to_owned());
    cells
}

/// A value with the digits that mean something: three or more.
#[must_use]
pub fn short(value: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "values are positive and far below 2^52"
    )]
    match value {
        1_000.0.. => grouped(value.round() as u64),
        100.0.. => format!("{value:.0}"),
        10.0.. => trimmed(format!("{value:.1}")),
        _ => trimmed(format!("{value:.2}")),
    }
}

fn trimmed(text: String) -> String {
    text.strip_suffix(".00").or_else(|| text.strip_suffix(".0")).unwrap_or(&text).to_owned()
}

/// A count with its thousands apart.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            figure: "push".to_owned(),
            unit: "messages/s",
            ours: Spread::of(vec![9_000.4, 8_000.0, 12_345.0]),
            theirs: Some(Spread::of(vec![2_000.0, 900.0, 3_000.0])),
            ratio: Some(Spread::of(vec![4.5, 3.123])),
            target: Some("≥ 3.00x".to_owned()),
            verdict: Some(Verdict::Held),
        }
    }

    #[test]
    fn markdown_has_both_sides_the_ratio_and_the_verdict() {
        let text = markdown(&[row()], Some("emulator"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "| figure | unit | this broker | emulator | ratio | target | verdict |");
        assert_eq!(lines[1], "|---|---|---:|---:|---:|---|---|");
        assert_eq!(
            lines[2],
            "| push | messages/s | 9,000 (8,000..12,345) | 2,000 (900..3,000) | 3.81x (3.12..4.50) | ≥ 3.00x | held |"
        );
    }

    #[test]
    fn without_another_side_its_columns_are_left_out() {
        let row = Row { theirs: None, ratio: None, verdict: None, ..row() };
        let text = markdown(&[row], None);
        assert!(
            text.starts_with("| figure | unit | this broker | target | verdict |\n|---|---|---:|---|---|\n"),
            "{text}"
        );
        assert!(text.ends_with("| ≥ 3.00x | – |\n"), "{text}");
    }

    #[test]
    fn the_terminal_table_says_the_same() {
        let text = terminal(&[row()], Some("emulator"));
        for part in ["(8,000..12,345)", "emulator", "3.81x", "held"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn values_keep_the_digits_that_mean_something() {
        let values = [0.5, 4.0, 4.567, 45.67, 20.0, 456.7, 1_234_567.8];
        assert_eq!(values.map(short), ["0.50", "4", "4.57", "45.7", "20", "457", "1,234,568"]);
        assert_eq!([0, 999, 1_000, 200_000].map(grouped), ["0", "999", "1,000", "200,000"]);
    }
}
