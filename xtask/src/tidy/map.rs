//! The map of ARCHITECTURE.md against the tree.
//!
//! The map is the fenced block that opens with ` ```text map `. A line that is not indented names a folder or a file at
//! the root; an indented line names a child of the folder above it. Two spaces part a name from its description, which
//! every line has. Every folder at the root must be named, and every module directly below a crate's `src/`; a module's
//! own folder (`document/` beside `document.rs`) and the crate roots need no line.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};

use super::{Files, read};
use crate::paths;

const PAGE: &str = "ARCHITECTURE.md";

/// A longer sentence, in bytes, ends at its colon.
const ABOUT_MAX: usize = 90;

/// Complaints about names that do not exist and things that have no name.
pub(super) fn check(files: &Files) -> Vec<String> {
    match read(PAGE).as_deref().and_then(block) {
        Some(block) => compare(&block, files),
        None => vec![format!("{PAGE} has no map: a fenced block that opens with ```text map")],
    }
}

/// The lines of the map.
fn block(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("```text map\n")?;
    rest.split_once("\n```").map(|(block, _)| block.to_owned())
}

fn compare(block: &str, files: &Files) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut named = Vec::new();
    let mut folder = "";
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (name, about) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
        let path = if line.starts_with(' ') {
            format!("{folder}{name}")
        } else {
            folder = if name.ends_with('/') { name } else { "" };
            name.to_owned()
        };
        if about.trim().is_empty() {
            complaints.push(format!("{PAGE}: the map says nothing about {path}"));
        }
        if !files.has(&path) {
            complaints.push(format!("{PAGE}: the map names {path}, which does not exist"));
        }
        named.push(path);
    }
    let is_named =
        |path: &str| named.iter().any(|name| name == path || name.strip_prefix(path).is_some());
    let missing = expected(files).into_iter().filter(|path| !is_named(path));
    complaints.extend(missing.map(|path| format!("{PAGE}: the map does not name {path}")));
    complaints
}

/// What the map must name.
fn expected(files: &Files) -> Vec<String> {
    let mut expected = Vec::new();
    for folder in files.children("").into_iter().filter(|name| name.ends_with('/')) {
        let source = format!("{folder}src/");
        if files.has(&format!("{folder}Cargo.toml")) && files.has(&source) {
            let modules = files.children(&source);
            let is_own_folder =
                |name: &str| modules.contains(&format!("{}.rs", name.trim_end_matches('/')));
            let needs_line =
                |name: &&String| *name != "lib.rs" && *name != "main.rs" && !is_own_folder(name);
            expected
                .extend(modules.iter().filter(needs_line).map(|name| format!("{source}{name}")));
        }
        expected.push(folder);
    }
    expected.retain(|path| path.ends_with('/') || path.ends_with(".rs"));
    expected
}

/// `cargo xtask tidy --fix`: writes a line for each module that has none, from the first sentence of the module's own
/// page, and drops the lines of modules that are gone. What a person wrote stays.
pub(super) fn fix(files: &Files) -> Result<()> {
    let file = paths::at(PAGE);
    let page = fs::read_to_string(&file).with_context(|| format!("cannot read {PAGE}"))?;
    let Some(old) = block(&page) else { bail!("{PAGE} has no map") };
    let new = completed(&old, files, |path| first_sentence(&read(path).unwrap_or_default()));
    fs::write(&file, page.replacen(&old, &new, 1)).with_context(|| format!("cannot write {PAGE}"))
}

/// The map with exactly the modules that exist, in order, under the folders that it has.
fn completed(block: &str, files: &Files, about: impl Fn(&str) -> String) -> String {
    let expected = expected(files);
    let mut lines = Vec::new();
    let mut rest = block.lines().filter(|line| !line.trim().is_empty()).peekable();
    while let Some(line) = rest.next() {
        lines.push(line.to_owned());
        let folder = line.split("  ").next().unwrap_or_default();
        let mut modules: BTreeMap<&str, String> = BTreeMap::new();
        let children = expected
            .iter()
            .filter_map(|path| path.strip_prefix(folder).filter(|name| !name.is_empty()));
        if folder.ends_with("src/") {
            modules.extend(children.map(|name| (name, about(&format!("{folder}{name}")))));
        }
        while let Some(child) = rest.next_if(|line| line.starts_with(' ')) {
            let (name, text) = child.trim().split_once("  ").unwrap_or((child.trim(), ""));
            if files.has(&format!("{folder}{name}")) {
                modules.insert(name, text.trim().to_owned());
            }
        }
        let width = modules.keys().map(|name| name.len()).max().unwrap_or(0);
        lines.extend(modules.iter().map(|(name, text)| format!("  {name:<width$}  {text}")));
    }
    lines.join("\n")
}

/// The first sentence of a module's page, as a line of the map: without a full stop, beginning small.
fn first_sentence(source: &str) -> String {
    let page = source.lines().take_while(|line| line.starts_with("//!"));
    let text: Vec<&str> = page
        .map(|line| line.trim_start_matches("//!").trim())
        .take_while(|line| !line.is_empty())
        .collect();
    let text = text.join(" ");
    let sentence = text.split(". ").next().unwrap_or_default().trim_end_matches('.');
    let short = if sentence.len() > ABOUT_MAX {
        sentence.split(": ").next().unwrap_or(sentence)
    } else {
        sentence
    };
    let mut characters = short.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str =
        "core/src/\n  apply.rs  makes the new text\n  text.rs   the rope\nweb/  the app";

    fn tree(more: &[&str]) -> Files {
        let mut paths = vec![
            "core/Cargo.toml",
            "core/src/lib.rs",
            "core/src/apply.rs",
            "core/src/text.rs",
            "web/a.ts",
        ];
        paths.push("core/src/text/rope.rs");
        paths.extend(more);
        Files::of(&paths)
    }

    #[test]
    fn a_folder_line_needs_a_description_too() {
        assert_eq!(
            compare(MAP, &tree(&[])),
            ["ARCHITECTURE.md: the map says nothing about core/src/"]
        );
    }

    #[test]
    fn a_module_without_a_line_is_found() {
        let map = MAP.replace("core/src/", "core/src/  the engine");
        assert_eq!(
            compare(&map, &tree(&["core/src/new.rs"])),
            ["ARCHITECTURE.md: the map does not name core/src/new.rs"]
        );
        assert_eq!(
            compare(&map, &tree(&["docs/a.md"])),
            ["ARCHITECTURE.md: the map does not name docs/"]
        );
        assert_eq!(compare(&map, &tree(&[])), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_a_module_is_found() {
        let map = MAP
            .replace("core/src/", "core/src/  the engine")
            .replace("web/  the app", "web/  the app\nbench/  speed");
        assert_eq!(
            compare(&map, &tree(&[])),
            ["ARCHITECTURE.md: the map names bench/, which does not exist"]
        );
    }

    #[test]
    fn fixing_adds_what_is_missing_drops_what_is_gone_and_keeps_what_was_written() {
        let map = "core/src/  the engine\n  gone.rs  was here\n  text.rs  the rope\nweb/  the app";
        let fixed = completed(map, &tree(&[]), |path| format!("about {path}"));
        let expected = "core/src/  the engine\n  apply.rs  about core/src/apply.rs\n  text.rs   the rope\nweb/  the app";
        assert_eq!(fixed, expected);
        assert_eq!(compare(&fixed, &tree(&[])), Vec::<String>::new());
    }

    #[test]
    fn a_module_describes_itself_by_its_first_sentence() {
        assert_eq!(
            first_sentence("//! Applies an operation\n//! to a text. Linear.\n//!\n//! More."),
            "applies an operation to a text"
        );
    }
}
