//! The map of ARCHITECTURE.md against the tree.
//!
//! The map is the fenced block that opens with ` ```text map `. A line that is not indented names a folder or a file at
//! the root; an indented line names a child of the folder above it. Two spaces part a name from its description, which
//! every line has. Every folder at the root must be named, and every module directly below a crate's `src/`; a module's
//! own folder (`document/` beside `document.rs`) and the crate roots need no line.

use super::{Files, read};

const PAGE: &str = "ARCHITECTURE.md";

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
}
