//! The server is told to end while people type.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Stage, seed, serve_as, sized};
use crate::support::person::Temper;
use crate::support::proxy::Proxy;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(8), patience: Duration::from_secs(2), haste: 20 };

/// What the server may take to end.
const END_MAX: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_of_the_end_and_finds_all_that_was_acknowledged() {
    end(sized(4, 50), seed(61), None).await;
}

/// Ends the server so many times, perhaps a defective one.
pub(super) async fn end(rounds: usize, seed: u64, stand_in: Option<&'static str>) {
    let mut stage = Stage::with(seed, &[], stand_in).await;
    let proxy = Proxy::start(stage.process.address()).await;
    let mut people = stage.people(proxy.address(), 8, TEMPER).await;
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        let connecting = people.iter_mut().map(async |person| {
            while !person.client.is_connected() {
                person.come_back().await;
            }
            person.closes.clear();
        });
        join_all(connecting).await;
        let pause = Duration::from_millis(20 + stage.choices.below(300) as u64);
        let Stage { process, characters, database, .. } = &mut stage;
        let writing = people.iter_mut().map(|person| person.write(60, characters));
        let ending = async {
            tokio::time::sleep(pause).await;
            let told = Instant::now();
            process.signal("-TERM");
            let status = process.ended().await;
            let took = told.elapsed();
            assert!(status.success(), "{status}: {:?}", process.log());
            process.assert_no_panic();
            *process = serve_as(database, &[], stand_in).await;
            proxy.aim(Some(process.address()));
            took
        };
        let (took, _) = tokio::join!(ending, join_all(writing));
        assert!(took <= END_MAX, "{took:?}");
        longest = longest.max(took);
        for person in &people {
            assert_eq!(person.closes.first(), Some(&Some(1012)), "{:?}", person.closes);
        }
    }
    let verdict = stage.finish(&mut people).await;
    println!(
        "{rounds} ends under load, the longest took {longest:.2?}; everybody was closed with 1012; \
         {} acknowledged, 0 lost, 0 doubled",
        verdict.acknowledged
    );
}
