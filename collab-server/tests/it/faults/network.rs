//! Eight people, each behind a network that fails in its own way every now and then: cut, silent,
//! dead in one direction, slow, or ended in the middle of a frame; and a server that is stopped for
//! a moment now and then.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Stage, seed, sized};
use crate::support::choices::Choices;
use crate::support::person::Temper;
use crate::support::process::Process;
use crate::support::proxy::{Flow, Network, Proxy};

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(15), patience: Duration::from_millis(400), haste: 40 };

/// What happens to a network next. Some of it hits the connections that are open, some those to
/// come.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Cut,
    Becomes(Network),
}

fn fault(choices: &mut Choices) -> Fault {
    let flow = match choices.below(6) {
        0 => return Fault::Cut,
        1 => Flow::Hold,
        2 => Flow::Dead,
        3 => Flow::Delay(Duration::from_millis(1 + choices.below(120) as u64)),
        4 => Flow::Throttle(2_000 + choices.below(20_000)),
        _ => Flow::CutAfter(choices.below(3_000)),
    };
    Fault::Becomes(match choices.below(3) {
        0 => Network { up: flow, down: flow },
        1 => Network { up: flow, down: Flow::Pass },
        _ => Network { up: Flow::Pass, down: flow },
    })
}

/// Lets a network fail and heal until it is told to stop; then it is healed for good. How often
/// each kind of fault came.
async fn fail(proxy: &Proxy, mut choices: Choices, until: Instant) -> [usize; 2] {
    let mut counts = [0; 2];
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(choices.below(400) as u64)).await;
        match fault(&mut choices) {
            Fault::Cut => {
                counts[0] += 1;
                proxy.cut();
            }
            Fault::Becomes(network) => {
                counts[1] += 1;
                proxy.set(network);
            }
        }
        tokio::time::sleep(Duration::from_millis(choices.below(700) as u64)).await;
        proxy.set(Network::GOOD);
    }
    counts
}

/// Stops the whole server for a moment, now and then: to its clients it is gone, and then it is
/// there again with the sessions that they gave up.
async fn pause(process: &Process, mut choices: Choices, until: Instant) -> usize {
    let mut count = 0;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500 + choices.below(1_500) as u64)).await;
        process.signal("-STOP");
        tokio::time::sleep(Duration::from_millis(choices.below(1_200) as u64)).await;
        process.signal("-CONT");
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_people_behind_failing_networks_lose_and_double_nothing() {
    let rounds = sized(1, 40);
    let seed = seed(11);
    for round in 0..rounds {
        eight_people(seed + round, None).await;
    }
}

/// Eight people at a server, perhaps a defective one.
pub(super) async fn eight_people(seed: u64, stand_in: Option<&'static str>) {
    // A small ring and many snapshots: whoever was away a while is behind both.
    let flags = ["--ring-len", "64", "--snapshot-every-revisions", "100"];
    let mut stage = Stage::with(seed, &flags, stand_in).await;
    let mut proxies = Vec::new();
    let mut people = Vec::new();
    for _ in 0..8 {
        let proxy = Proxy::start(stage.process.address()).await;
        people.push(stage.person(proxy.address(), TEMPER));
        proxies.push(proxy);
    }
    let until = Instant::now() + Duration::from_secs(sized(6, 20));
    let edits = sized(250, 1_000);
    let schedules: Vec<Choices> = proxies.iter().map(|_| stage.choices.fork()).collect();
    let faults = proxies.iter().zip(schedules).map(|(proxy, choices)| fail(proxy, choices, until));
    let pausing = pause(&stage.process, stage.choices.clone(), until);
    let writers = people.iter_mut().map(|person| person.write(edits, &stage.characters));
    let (faults, pauses, _) = tokio::join!(join_all(faults), pausing, join_all(writers));

    let losses: usize = people.iter().map(|person| person.losses).sum();
    let checks: usize = people.iter().map(|person| person.client.checks_compared).sum();
    let verdict = stage.finish(&mut people).await;
    let [cuts, others] = faults.iter().fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
    assert!(losses > 8, "the networks failed: {losses} connections lost");
    println!(
        "seed {seed}: {cuts} cuts, {others} other faults, {pauses} pauses of the server, {losses} connections lost, {} \
         submissions acknowledged over {} revisions, 0 lost, 0 doubled, {checks} checks compared",
        verdict.acknowledged, verdict.revisions
    );
}
