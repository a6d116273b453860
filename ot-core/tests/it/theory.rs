//! The theory page is held against the tests that it names.

use std::fs;
use std::path::Path;

fn sources(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push_str(&fs::read_to_string(path).expect("readable"));
        }
    }
}

#[test]
fn every_named_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/theory.md")).expect("the page");
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    let mut named = 0;
    for quoted in page.split('`').skip(1).step_by(2) {
        let Some((_, test)) = quoted.rsplit_once("::") else { continue };
        if !test.starts_with(char::is_lowercase) {
            continue;
        }
        named += 1;
        assert!(code.contains(&format!("fn {test}(")), "{quoted} is named and does not exist");
    }
    assert!(named > 30, "the page names {named} tests");
}
