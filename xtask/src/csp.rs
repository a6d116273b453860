//! The hashes of the export's inline scripts, for the server's Content-Security-Policy: `web/out/csp.json` is
//! `{"script_hashes":["sha256-…"]}`. With them the policy needs no `'unsafe-inline'`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The hashes of all inline scripts in all pages below a folder, without repetition.
pub(crate) fn collect(folder: &Path) -> Result<BTreeSet<String>> {
    let mut hashes = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let page = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                hashes.extend(inline_scripts(&page).map(hash));
            }
        }
    }
    Ok(hashes)
}

/// The file's text; a hash holds no character that JSON escapes.
pub(crate) fn to_json(hashes: &BTreeSet<String>) -> String {
    let list: Vec<String> = hashes.iter().map(|hash| format!("\"{hash}\"")).collect();
    format!("{{\"script_hashes\":[{}]}}\n", list.join(","))
}

/// A script's source expression, without the quotes of the header.
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script.as_bytes())))
}

/// The texts between `<script …>` and `</script>` where the tag names no source.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (body, _) = rest.split_once("</script")?;
        let has_source = attributes.split_ascii_whitespace().any(|word| word.starts_with("src="));
        (!has_source && !body.is_empty()).then_some(body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_without_a_source_are_hashed() {
        let page = "<script src=\"/a.js\" async=\"\"></script><script>let a=1>0</script>\
                    <script id=\"_R_\">alert('x')</script><script async src=/b.js></script>";
        let scripts: Vec<&str> = inline_scripts(page).collect();
        assert_eq!(scripts, ["let a=1>0", "alert('x')"]);
    }

    /// The example of the Content-Security-Policy specification, section "Usage of hashes".
    #[test]
    fn the_hash_is_the_one_browsers_compute() {
        assert_eq!(
            hash("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn the_file_is_json() {
        let hashes = BTreeSet::from(["sha256-a=".to_owned(), "sha256-b=".to_owned()]);
        assert_eq!(to_json(&hashes), "{\"script_hashes\":[\"sha256-a=\",\"sha256-b=\"]}\n");
    }
}
