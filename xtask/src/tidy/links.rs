//! Links between Markdown files: the file must exist, and so must the heading after `#`.

use std::path::{Component, Path, PathBuf};

use super::{Files, read};

/// Complaints about links that lead nowhere.
pub(super) fn check(files: &Files) -> Vec<String> {
    let pages = files.paths().filter(|path| path.ends_with(".md"));
    pages.flat_map(|page| broken(page, &read(page).unwrap_or_default(), files)).collect()
}

fn broken(page: &str, text: &str, files: &Files) -> Vec<String> {
    let mut complaints = Vec::new();
    for target in targets(text) {
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let path = if file.is_empty() { page.to_owned() } else { resolve(page, file) };
        if !files.has(&path) && !files.has(&format!("{path}/")) {
            complaints.push(format!("{page}: the link to {target} leads nowhere"));
        } else if !heading.is_empty() && path.ends_with(".md") {
            let other =
                if path == page { text.to_owned() } else { read(&path).unwrap_or_default() };
            if !headings(&other).any(|slug| slug == heading) {
                complaints.push(format!("{page}: {path} has no heading #{heading}"));
            }
        }
    }
    complaints
}

/// The targets of inline links and pictures that stay in the repository; code is skipped.
fn targets(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let prose = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose
        .flat_map(|line| line.split('`').step_by(2))
        .flat_map(|span| span.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| {
            !target.contains("://") && !target.starts_with("mailto:") && !target.is_empty()
        })
        .collect()
}

/// A link's path from the root, when it is written in `page`.
fn resolve(page: &str, file: &str) -> String {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in folder.join(file.trim_start_matches("./").trim_end_matches('/')).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path.display().to_string()
}

/// The anchors of a page's headings, as GitHub makes them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept =
            title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_page(text: &str) -> Vec<String> {
        broken("docs/a.md", text, &Files::of(&["docs/a.md", "docs/b.md", "web/x.png"]))
    }

    #[test]
    fn links_to_files_folders_and_headings_resolve() {
        let text = "# The wire, by example\n[b](b.md) ![x](../web/x.png) [up](../web/) [here](#the-wire-by-example)";
        assert_eq!(check_page(text), Vec::<String>::new());
    }

    #[test]
    fn broken_links_are_found() {
        assert_eq!(check_page("[c](c.md)"), ["docs/a.md: the link to c.md leads nowhere"]);
        assert_eq!(check_page("# A\n[h](#b)"), ["docs/a.md: docs/a.md has no heading #b"]);
    }

    #[test]
    fn code_and_other_sites_are_not_links() {
        assert_eq!(
            check_page("`a[0](x)` [s](https://example.com)\n```\n[c](c.md)\n```\n"),
            Vec::<String>::new()
        );
    }
}
