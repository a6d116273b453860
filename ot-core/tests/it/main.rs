//! The laws of the engine, as properties and exhaustively for small documents.

mod client;
mod exhaustive;
mod laws;
mod theory;
mod undo;

use proptest::test_runner::{Config, FileFailurePersistence};

/// Cases of each property, at least: `PROPTEST_CASES` can ask for more.
const CASES: u32 = 10_000;

/// Many cases; a failure prints its seed and smallest case, and is tried first next time.
fn config() -> Config {
    Config {
        cases: Config::default().cases.max(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/it/regressions.txt",
        ))),
        ..Config::default()
    }
}
