//! The scenarios with servers that have a defect: each must find out the one that it is there for.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::{ending, network, postgres, storage};
use crate::support::defects::{AckFirst, OtherHistory, TakenAsDone};
use crate::support::stand_in;

/// Longer than any of them takes to fail.
const RED_MAX: Duration = Duration::from_secs(150);

/// What shows that something acknowledged is gone, whichever is seen first: at the end the log lacks
/// it; a client that holds it is given a text in place of what follows, or an ack of another
/// revision; the server finds its log to be shorter than what it has told.
const LOSS: [&str; 4] = [
    "Lost",
    "sent to a join that asked otherwise",
    "one submission has one revision",
    "doc_corrupt",
];

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Runs a scenario that must fail, before one of these oracles.
async fn check_red(scenario: impl Future<Output = ()>, oracles: &[&str]) {
    let run = AssertUnwindSafe(scenario).catch_unwind();
    let outcome = tokio::time::timeout(RED_MAX, run).await.expect("it fails in time");
    let text = said(&*outcome.expect_err("the defect was not noticed"));
    assert!(oracles.iter().any(|oracle| text.contains(oracle)), "it fails otherwise: {text}");
    println!("found out: {}", text.chars().take(300).collect::<String>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_before_it_has_appended_is_found_out() {
    if stand_in::serve_if_asked(async |store, _| AckFirst::around(store)).await {
        return;
    }
    let own = "faults::defective::a_server_that_ends_before_it_has_appended_is_found_out";
    check_red(ending::end(2, 61, Some(own)), &LOSS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_tells_who_was_away_another_text_is_found_out() {
    if stand_in::serve_if_asked(async |store, _| OtherHistory(store)).await {
        return;
    }
    let own = "faults::defective::a_server_that_tells_who_was_away_another_text_is_found_out";
    check_red(network::eight_people(11, Some(own)), &["texts agree", "Diverged"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_a_refused_append_as_done_is_found_out() {
    if stand_in::serve_if_asked(async |store, _| TakenAsDone(store)).await {
        return;
    }
    let own = "faults::defective::a_server_that_takes_a_refused_append_as_done_is_found_out";
    check_red(storage::lock(&[8], 31, Some(own)), &LOSS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_an_unknown_outcome_as_done_is_found_out() {
    if stand_in::serve_on_postgres_if_asked(TakenAsDone).await {
        return;
    }
    let own = "faults::defective::a_server_that_takes_an_unknown_outcome_as_done_is_found_out";
    check_red(postgres::cut_around_commits(4, 92, Some(own)), &LOSS).await;
}
