//! What is printed: tables of everything that ran, one row for each target, and the same as CSV.

use std::fmt::Write as _;
use std::path::Path;

use criterion::Criterion;

use crate::measure::{Contender, Taken, by_criterion, interleaved};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Shown as such.
    Nanoseconds,
    /// Held as nanoseconds, shown as milliseconds.
    Milliseconds,
    Bytes,
    /// Of the size of the text.
    TimesText,
}

impl Unit {
    pub(crate) fn shown(self, figure: f64) -> String {
        match self {
            Unit::Nanoseconds => format!("{} ns", short(figure)),
            Unit::Milliseconds => format!("{} ms", short(figure / 1e6)),
            Unit::Bytes => format!("{figure:.0} B"),
            Unit::TimesText => format!("{figure:.2} × text"),
        }
    }
}

/// Three digits that count, and all of those in front of the point.
pub(crate) fn short(figure: f64) -> String {
    let places = match figure.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    format!("{figure:.places$}")
}

/// What is to be reached beside a peer in the same run.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) peer: String,
    pub(crate) theirs: f64,
    pub(crate) ours: f64,
    pub(crate) unit: Unit,
    /// Ours by theirs, at most.
    pub(crate) ratio_max: f64,
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.ours <= self.ratio_max * self.theirs
    }
}

/// Prints as it goes, and keeps what the end needs.
pub(crate) struct Report {
    section: &'static str,
    /// Takes the measurements, if it was asked for.
    criterion: Option<Criterion>,
    csv: String,
    targets: Vec<Target>,
}

impl Report {
    pub(crate) fn new(section: &'static str, criterion: Option<Criterion>) -> Report {
        println!("\n# {section}");
        let csv = String::from("table,name,count,rounds,median_ns,least_ns,most_ns\n");
        Report { section, criterion, csv, targets: Vec::new() }
    }

    /// Runs all contenders, by turns unless criterion takes them one after another, and prints a table. Ratios are by the first of them, and by what one run is.
    pub(crate) fn compare(
        &mut self,
        title: &str,
        unit: Unit,
        rounds: usize,
        mut contenders: Vec<Contender<'_>>,
    ) -> Vec<Taken> {
        let taken = match &mut self.criterion {
            Some(criterion) => {
                by_criterion(criterion, &format!("{}: {title}", self.section), &mut contenders)
            }
            None => interleaved(&mut contenders, rounds),
        };
        println!("\n**{title}**\n");
        println!("| | median | least to most | rounds | of | each | × first |");
        println!("|---|---|---|---|---|---|---|");
        for (one, took) in contenders.iter().zip(&taken) {
            println!(
                "| {} | {} | {} to {} | {} | {} | {} | {} |",
                one.name,
                unit.shown(took.median),
                unit.shown(took.least),
                unit.shown(took.most),
                took.rounds,
                one.count,
                Unit::Nanoseconds.shown(took.each),
                short(took.each / taken[0].each),
            );
            let Taken { median, least, most, rounds, .. } = took;
            let _ = writeln!(
                self.csv,
                "\"{title}\",\"{}\",{},{rounds},{median:.1},{least:.1},{most:.1}",
                one.name, one.count
            );
        }
        taken
    }

    /// Notes a target; the rows are printed together at the end.
    pub(crate) fn target(&mut self, target: Target) {
        self.targets.push(target);
    }

    /// Prints the rows, writes the CSV into `folder`, and tells how many targets are not met.
    pub(crate) fn finish(mut self, folder: Option<&Path>) -> std::io::Result<usize> {
        let missed = self.targets.iter().filter(|target| !target.is_met()).count();
        if !self.targets.is_empty() {
            println!("\n**Targets of {}**\n", self.section);
            println!("| what | peer | Concord | ratio | target | |");
            println!("|---|---|---|---|---|---|");
        }
        for one in &self.targets {
            let verdict = if one.is_met() { "met" } else { "NOT MET" };
            println!(
                "| {} | {}: {} | {} | {} | ≤ {} | {verdict} |",
                one.what,
                one.peer,
                one.unit.shown(one.theirs),
                one.unit.shown(one.ours),
                short(one.ours / one.theirs),
                short(one.ratio_max),
            );
            let _ = writeln!(
                self.csv,
                "target: {verdict},\"{} beside {}\",,,{},{},{}",
                one.what, one.peer, one.ours, one.theirs, one.ratio_max
            );
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join(format!("{}.csv", self.section)), &self.csv)?;
        }
        Ok(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_ratio_in_one_run() {
        let target = |ours| Target {
            what: String::new(),
            peer: String::new(),
            theirs: 10.0,
            ours,
            unit: Unit::Nanoseconds,
            ratio_max: 1.5,
        };
        assert!(target(15.0).is_met() && !target(15.1).is_met());
    }

    #[test]
    fn figures_show_three_digits() {
        let shown: Vec<String> =
            [0.012_34, 1.234, 12.34, 123.4, 1_234.0].into_iter().map(short).collect();
        assert_eq!(shown, ["0.012", "1.23", "12.3", "123", "1234"]);
    }
}
