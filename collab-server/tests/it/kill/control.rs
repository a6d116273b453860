//! The control: a server that acknowledges before it appends. The same rounds must find it out.

use super::{Ground, Stage};
use crate::support::defects::AckFirst;
use crate::support::oracle::Violation;
use crate::support::stand_in;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_before_the_append_is_found_out() {
    if stand_in::serve_if_asked(async |store, _| AckFirst::around(store)).await {
        return;
    }
    let ground = Ground::Sqlite(tempfile::tempdir().expect("a folder"));
    let own = "kill::control::acknowledging_before_the_append_is_found_out";
    let mut stage = Stage::new(ground, Some(own), 73).await;
    let found = stage.round().await;
    let lost = found.iter().filter(|found| matches!(found, Violation::Lost { .. })).count();
    assert!(lost > 0, "acknowledged and not appended, and nobody noticed: {found:?}");
    println!("{lost} lost operations were found");
}
