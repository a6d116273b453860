//! Figures as they are measured, and medians of rounds.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;

use crate::subject::Subject;

/// What was measured: a scenario's and a figure's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) scenario: &'static str,
    pub(crate) subject: Subject,
    pub(crate) figure: &'static str,
}

/// All figures of a run, by round.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    samples: BTreeMap<Key, Vec<f64>>,
    /// Figures in the order in which they first came, for columns.
    order: Vec<(&'static str, &'static str)>,
    failures: Vec<String>,
}

impl Figures {
    pub(crate) fn add(
        &mut self,
        scenario: &'static str,
        subject: Subject,
        figure: &'static str,
        value: f64,
    ) {
        if !self.order.contains(&(scenario, figure)) {
            self.order.push((scenario, figure));
        }
        self.samples.entry(Key { scenario, subject, figure }).or_default().push(value);
    }

    /// A subject did not get through a scenario.
    pub(crate) fn fail(&mut self, scenario: &str, subject: Subject, error: &anyhow::Error) {
        let line = format!("{scenario} {}: {error:#}", subject.name());
        eprintln!("  FAILED {line}");
        self.failures.push(line);
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The median over the rounds.
    pub(crate) fn median(
        &self,
        scenario: &'static str,
        subject: Subject,
        figure: &'static str,
    ) -> Option<f64> {
        let samples = self.samples.get(&Key { scenario, subject, figure })?;
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        Some(match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        })
    }

    /// One table of a scenario in Markdown: a row a subject.
    pub(crate) fn table(&self, scenario: &'static str) -> String {
        let columns: Vec<&'static str> = self
            .order
            .iter()
            .filter(|(of, _)| *of == scenario)
            .map(|(_, figure)| *figure)
            .collect();
        let mut table = format!("| {scenario} | {} |\n", columns.join(" | "));
        table += &format!("|---|{}\n", "---|".repeat(columns.len()));
        for subject in Subject::ALL {
            let cells: Vec<Option<f64>> =
                columns.iter().map(|figure| self.median(scenario, subject, figure)).collect();
            if cells.iter().any(Option::is_some) {
                let cells = cells.into_iter().map(|cell| cell.map_or("–".to_owned(), show));
                let cells: Vec<String> = cells.collect();
                table += &format!("| {} | {} |\n", subject.name(), cells.join(" | "));
            }
        }
        table
    }

    /// Every sample, a line each.
    pub(crate) fn write_csv(&self, mut out: impl Write) -> Result<()> {
        writeln!(out, "scenario,subject,figure,round,value")?;
        for (key, samples) in &self.samples {
            for (round, value) in samples.iter().enumerate() {
                let Key { scenario, subject, figure } = key;
                writeln!(out, "{scenario},{},{figure},{},{value}", subject.name(), round + 1)?;
            }
        }
        Ok(())
    }
}

/// Three digits that count.
pub(crate) fn show(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let (head, tail) = digits.split_at(digits.len() - 3);
            if head.len() > 3 {
                let (first, second) = head.split_at(head.len() - 3);
                format!("{first},{second},{tail}")
            } else {
                format!("{head},{tail}")
            }
        }
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The value that so large a share of sorted samples does not exceed.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_medians_and_a_dash_for_what_was_not_measured() {
        let mut figures = Figures::default();
        for value in [3.0, 1.0, 2.0] {
            figures.add("s1", Subject::Concord, "ack p50 ms", value);
        }
        figures.add("s1", Subject::Relay, "CPU µs", 12_345.0);
        let table = figures.table("s1");
        assert!(table.contains("| concord | 2.00 | – |"), "{table}");
        assert!(table.contains("| relay | – | 12,345 |"), "{table}");
    }

    #[test]
    fn percentiles_are_samples() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), 50.0);
        assert_eq!(percentile(&sorted, 0.99), 99.0);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
