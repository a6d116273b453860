//! What no file may say: paths that exist on one machine only.

use super::{Files, read};

/// Beginnings of such paths, cut in two so that this file does not hold them.
const FOREIGN: [(&str, &str); 4] =
    [("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/"), ("/wo", "rk/")];

/// Complaints about foreign paths.
pub(super) fn check(files: &Files) -> Vec<String> {
    files.paths().flat_map(|path| in_text(path, &read(path).unwrap_or_default())).collect()
}

fn in_text(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (head, tail) in FOREIGN {
            let foreign = format!("{head}{tail}");
            if starts_a_path(line, &foreign) {
                complaints.push(format!(
                    "{path}:{}: names {foreign}…, a path of one machine",
                    number + 1
                ));
            }
        }
    }
    complaints
}

/// Whether the text occurs in the line at the beginning of a path, not in the middle of a longer one.
fn starts_a_path(line: &str, foreign: &str) -> bool {
    line.match_indices(foreign).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-/~}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_and_a_longer_one_is_not() {
        let (head, tail) = FOREIGN[0];
        assert_eq!(in_text("a.md", &format!("see `{head}{tail}ann/x`")).len(), 1);
        assert_eq!(in_text("a.md", &format!("see example.com{head}{tail}")).len(), 0);
    }
}
