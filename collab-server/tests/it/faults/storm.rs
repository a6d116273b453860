//! The server is gone for a moment, and everybody comes back at once.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::{Stage, seed, serve, sized};
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence};
use crate::support::person::{Person, Temper};
use crate::support::proxy::Proxy;
use crate::support::until;

/// As the browser has it.
const TEMPER: Temper =
    Temper { pace: Duration::from_millis(10), patience: Duration::from_secs(5), haste: 1 };

/// Loads that the database was asked for.
const LOADS: &str = "concord_load_seconds_count";

/// Attempts are counted in slots of this length.
const SLOT: Duration = Duration::from_millis(100);

/// The largest share of all attempts that fell into one slot.
fn peak_share(attempts: &[Instant]) -> f64 {
    let first = attempts.iter().min().expect("there were attempts");
    let mut slots = std::collections::HashMap::new();
    for attempt in attempts {
        let slot = (*attempt - *first).as_millis() / SLOT.as_millis();
        *slots.entry(slot).or_insert(0_usize) += 1;
    }
    let peak = slots.values().max().expect("there is a slot");
    *peak as f64 / attempts.len() as f64
}

/// Whether attempts are spread: twice what an even spread over the first window puts into a slot,
/// and room for the chance that few attempts have.
fn is_spread(attempts: &[Instant]) -> bool {
    peak_share(attempts) < sized(0.25, 0.08)
}

#[test]
fn attempts_after_a_fixed_pause_are_seen() {
    let now = Instant::now();
    let at_once: Vec<Instant> =
        (0..1_000).map(|index| now + Duration::from_micros(20 * index)).collect();
    assert!(!is_spread(&at_once));
    let even: Vec<Instant> =
        (0..1_000).map(|index| now + Duration::from_micros(2_500 * index)).collect();
    assert!(is_spread(&even));
}

/// Stays until the connection was lost and is there again. Some type in between.
async fn ride_out(person: &mut Person, types: bool, stage: &Stage) {
    while person.losses == 0 {
        person.step(TEMPER.patience).await;
    }
    if types {
        person.edit(&stage.characters);
    }
    while !person.client.is_connected() || person.client.has_pending() {
        person.step(TEMPER.patience).await;
    }
}

async fn connect_all(people: &mut [Person]) {
    let mut waiting = people.iter_mut();
    let mut connecting = FuturesUnordered::new();
    loop {
        while connecting.len() < 32
            && let Some(person) = waiting.next()
        {
            connecting.push(async { person.client.connect().await.expect("a connection") });
        }
        if connecting.next().await.is_none() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_come_back_spread_out_and_each_document_is_loaded_once() {
    let (clients, documents) = (sized(150, 1_000), 5);
    let mut stage = Stage::new(seed(21), &[]).await;
    let proxy = Proxy::start(stage.process.address()).await;
    let mut ids = vec![stage.document.clone()];
    for _ in 1..documents {
        ids.push(stage.process.create_document(&stage.cookie, "").await);
    }
    let mut people: Vec<Person> = (0..clients)
        .map(|index| {
            let document = &ids[index % documents];
            let client = NativeClient::new(proxy.address(), &stage.cookie, document);
            Person::new(client, stage.choices.fork(), TEMPER)
        })
        .collect();
    connect_all(&mut people).await;
    assert_eq!(stage.process.metric(LOADS).await, documents as f64, "one load per document");
    proxy.take_attempts();

    let gone = Instant::now();
    stage.process.kill().await;
    stage.process = serve(&stage.database, &[]).await;
    proxy.aim(Some(stage.process.address()));
    let back = people.iter_mut().enumerate();
    join_all(back.map(|(index, person)| ride_out(person, index % 10 == 0, &stage))).await;
    let took = gone.elapsed();
    let loads = stage.process.metric(LOADS).await;
    let memory = stage.process.memory_peak_bytes();
    assert_eq!(loads, documents as f64, "one load per document");

    let arrived = peak_share(&proxy.take_attempts());
    let due = people.iter().flat_map(|person| person.attempts.iter().copied());
    let attempts: Vec<Instant> = due.collect();
    assert!(attempts.len() >= clients, "everybody came back by an attempt");
    let peak = peak_share(&attempts);
    assert!(is_spread(&attempts), "{:.1} % of the attempts in 100 ms", 100.0 * peak);
    let mut acknowledged = 0;
    let mut served = Vec::new();
    for id in &ids {
        served.push(stage.process.head(&stage.cookie, id).await);
    }
    let heads = served.iter().map(|(_, head)| *head).collect::<Vec<_>>();
    let reading = people.iter_mut().enumerate();
    join_all(reading.map(|(index, person)| person.read_to(heads[index % documents]))).await;
    stage.process.stop().await;
    let store = oracle::open(&stage.database).await;
    for (number, (id, served)) in ids.iter().zip(served).enumerate() {
        let (log, loaded) = oracle::read(&*store, id).await;
        let of_document = people.iter().skip(number).step_by(documents);
        let accounts = of_document.map(|person| Account::from(&person.client)).collect();
        let evidence = Evidence { log, served, loaded, accounts };
        acknowledged += oracle::assert_sound(&evidence, stage.seed).acknowledged;
    }
    println!(
        "{clients} clients back after {took:.1?} with {} attempts, at most {:.1} % of them due in \
         any 100 ms ({:.1} % arrived); {loads} loads of {documents} documents; {acknowledged} submissions acknowledged, \
         0 lost, 0 doubled; server at {} MiB",
        attempts.len(),
        100.0 * peak,
        100.0 * arrived,
        memory >> 20,
    );
}

#[tokio::test]
async fn a_second_load_is_counted() {
    let stage = Stage::new(22, &["--unload-after-ms", "100"]).await;
    for loads in 1..=2 {
        let address = stage.process.address();
        let client = NativeClient::join(address, &stage.cookie, &stage.document).await;
        assert_eq!(stage.process.metric(LOADS).await, f64::from(loads));
        drop(client);
        until("the document is let go of", async || {
            stage.process.metric("concord_documents_loaded").await == 0.0
        })
        .await;
    }
}
