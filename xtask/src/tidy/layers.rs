//! Who may know whom: what the parts that decide may not touch, and which crate may depend on which.

use super::{Files, read};

/// Code that decides: events in, effects out. The same code runs in the browser, in the server and in simulations, so
/// it reads no clock, draws no random number and does no input or output.
const PURE: [&str; 4] = [
    "ot-core/src/",
    "collab-server/src/document/state",
    "wasm-client/src/engine",
    "collab-replay/src/",
];

/// What pure code may not name.
const IMPURE: [&str; 9] = [
    "std::time",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "rand::",
];

/// The crates of the repository that a crate may depend on; a crate that is not listed may depend on all.
const MAY_DEPEND: [(&str, &[&str]); 6] = [
    ("ot-core", &[]),
    ("collab-protocol", &["ot-core"]),
    ("collab-replay", &["collab-protocol", "wasm-client"]),
    ("collab-server", &["ot-core", "collab-protocol", "collab-replay"]),
    ("wasm-client", &["ot-core", "collab-protocol"]),
    ("xtask", &[]),
];

/// Complaints about code that reaches where it may not.
pub(super) fn check(files: &Files) -> Vec<String> {
    let is_pure =
        |path: &&str| path.ends_with(".rs") && PURE.iter().any(|start| path.starts_with(start));
    let impure = files
        .paths()
        .filter(is_pure)
        .flat_map(|path| impurities(path, &read(path).unwrap_or_default()));
    let manifests = MAY_DEPEND.iter().flat_map(|(krate, allowed)| {
        let manifest = read(&format!("{krate}/Cargo.toml")).unwrap_or_default();
        forbidden_dependencies(krate, allowed, &manifest)
    });
    impure.chain(manifests).collect()
}

/// The lines of code that name something impure; what tests do is theirs.
fn impurities(path: &str, text: &str) -> Vec<String> {
    let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    code.filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(number, line)| {
            let named = IMPURE.iter().filter(move |word| line.contains(*word));
            named
                .map(move |word| format!("{path}:{}: {word} in code that must be pure", number + 1))
        })
        .collect()
}

fn forbidden_dependencies(krate: &str, allowed: &[&str], manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut complaints = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let is_ours = MAY_DEPEND.iter().any(|(other, _)| *other == name);
        if section == "[dependencies]" && is_ours && !allowed.contains(&name) {
            complaints.push(format!("{krate}/Cargo.toml: {krate} may not depend on {name}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_pure_code_is_found_and_one_in_its_tests_is_not() {
        let text = "//! Reads no std::time.\nuse std::time::Duration;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}";
        assert_eq!(impurities("a.rs", text), ["a.rs:2: std::time in code that must be pure"]);
    }

    #[test]
    fn a_dependency_against_the_layers_is_found() {
        let manifest = "[dependencies]\not-core.workspace = true\ncollab-server = { path = \"..\" }\n[dev-dependencies]\nwasm-client = \"1\"";
        assert_eq!(
            forbidden_dependencies("collab-protocol", &["ot-core"], manifest),
            ["collab-protocol/Cargo.toml: collab-protocol may not depend on collab-server"]
        );
    }
}
