//! Tests that pages name: each must exist, so that no page promises what nothing shows.

use super::{Files, read};

/// Pages whose tables say which test shows what.
const PAGES: [&str; 2] = ["ARCHITECTURE.md", "SECURITY.md"];

/// Words of a name from which on it can only be a test's.
const WORDS_MIN: usize = 5;

/// Complaints about tests that are not there.
pub(super) fn check(files: &Files) -> Vec<String> {
    let sources: Vec<String> =
        files.paths().filter(|path| path.ends_with(".rs")).filter_map(read).collect();
    let pages = PAGES.iter().filter_map(|page| Some((*page, read(page)?)));
    pages.flat_map(|(page, text)| broken(page, &text, &sources)).collect()
}

fn broken(page: &str, text: &str, sources: &[String]) -> Vec<String> {
    let missing = names(text).filter(|name| {
        let declared = format!("fn {name}(");
        !sources.iter().any(|source| source.contains(&declared))
    });
    missing.map(|name| format!("{page}: there is no test {name}")).collect()
}

/// Spans of code that are names of many words.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|span| {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        span.split('_').count() >= WORDS_MIN && span.chars().all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_must_be_there() {
        let sources = ["async fn what_was_promised_is_kept() {}".to_owned()];
        let page =
            "| x | `what_was_promised_is_kept`, `what_was_promised_is_not_kept`, `a_setting_ms` |";
        let found = broken("A.md", page, &sources);
        assert_eq!(found, ["A.md: there is no test what_was_promised_is_not_kept"]);
    }
}
