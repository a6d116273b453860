//! What the tests share: a server of their own, and clients for it.

pub(crate) mod balancer;
pub(crate) mod choices;
pub(crate) mod defects;
pub(crate) mod fallback;
pub(crate) mod history;
pub(crate) mod http;
pub(crate) mod native;
pub(crate) mod nginx;
pub(crate) mod oracle;
pub(crate) mod person;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod server;
pub(crate) mod share;
pub(crate) mod socket;
pub(crate) mod stand_in;
pub(crate) mod token;

use std::time::Duration;

/// How long anything may take before a test fails. Nothing waits for it to pass.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is yes.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
