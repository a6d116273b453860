//! How much more two and four servers commit than one, where each is held to a share of one core,
//! so that the servers are what limits and neither the load nor PostgreSQL: a table.
//!
//! The same people type in every row, to begin with into empty documents of new servers.

use std::time::Duration;

use super::throughput::{Load, Spread, Throughput, throughput};
use super::until_has_redis;
use crate::cluster::{Server, Stage};
use crate::faults::{seed, sized};
use crate::support::share::{Quota, Share};

/// The system looks every few milliseconds whether somebody has had enough: in much shorter periods
/// quotas are not kept, in longer ones everybody waits longer for the next.
const PERIOD: Duration = Duration::from_millis(20);

/// 15 % of a core for a development build. An optimised one does so much in 5 % that four of them are
/// what limits, and not the other cores.
fn quota() -> Quota {
    Quota { time: Duration::from_millis(sized(3, 1)), period: PERIOD }
}

/// One row of the table, beside what one server came to.
fn print_row(what: &str, servers: usize, found: &Throughput, one: &Throughput) {
    println!(
        "| {what} | {servers} | {:.0} | {:.2} | {:.0} | {:.2} | {:.0} | {:.0} % | {:.2} |",
        found.operations_per_s,
        found.operations_per_s / one.operations_per_s,
        found.operations_per_server_s(),
        found.operations_per_server_s() / one.operations_per_server_s(),
        found.lost,
        100.0 * found.server_cores / (servers as f64 * quota().cores()),
        found.all_cores,
    );
}

/// What a load comes to on servers of its own that are held to their shares; `None` where none can
/// be held.
async fn row(documents: usize, load: Load, seed: u64) -> Option<Throughput> {
    let mut stage = Stage::new(seed, load.servers, documents, &[]).await;
    for server in &stage.servers {
        until_has_redis(server, true).await;
    }
    let hold = |server: &Server| Share::hold(server.process.id(), quota());
    let Some(shares) = stage.servers.iter().map(hold).collect::<Option<Vec<Share>>>() else {
        stage.stop().await;
        return None;
    };
    let found = throughput(&mut stage, load).await;
    assert!(shares.iter().all(Share::holds), "every server was held all along");
    drop(shares);
    stage.judge(&mut Vec::<Vec<_>>::new()).await;
    stage.stop().await;
    Some(found)
}

/// Prints what `people` come to on one server and on several, spread in each of these ways.
async fn scale(documents: usize, people: usize, spreads: &[Spread], own: u64) {
    let seed = seed(own);
    let Some(one) = row(documents, Load { people, servers: 1, spread: spreads[0] }, seed).await
    else {
        return println!("control groups cannot be written here: no server is held to a share");
    };
    println!(
        "{people} people, documents: {documents}; each server held to {:.0} % of a core\n\
         | spread by | servers | operations a second | times one's | for a second of servers' time \
         | times one's | of 100 appends lost their race | of their shares taken | cores busy |",
        100.0 * quota().cores()
    );
    print_row("", 1, &one, &one);
    for spread in spreads {
        for servers in sized(&[2][..], &[2, 4]) {
            let load = Load { people, servers: *servers, spread: *spread };
            let found = row(documents, load, seed).await.expect("as for one server");
            print_row(&format!("{spread:?}"), *servers, &found, &one);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_with_a_share_each_scale_with_one_hot_document() {
    scale(1, sized(16, 64), &[Spread::People], 256).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_with_a_share_each_scale_with_many_documents() {
    let (documents, people) = sized((8, 32), (64, 256));
    let spreads = &[Spread::Documents, Spread::People][..sized(1, 2)];
    scale(documents, people, spreads, 257).await;
}
