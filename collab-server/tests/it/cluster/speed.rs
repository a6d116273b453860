//! What several servers cost and bring: how much later others see an edit on another server, what
//! Redis costs who writes, and how much two servers commit against one. The short form only shows
//! that all of it ends with one text; `cargo xtask soak cluster-speed` prints figures worth reading.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Server, Stage};
use crate::faults::{seed, sized};
use crate::support::native::{NativeClient, Taken};
use crate::support::person::{Person, Temper};
use crate::support::until;

/// Who types as fast as answers come.
pub(super) const HASTY: Temper =
    Temper { pace: Duration::ZERO, patience: Duration::from_secs(10), haste: 20 };

pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How much slower, as a factor.
pub(super) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

pub(super) async fn until_has_redis(server: &Server, wanted: bool) {
    until("Redis is found, or missed", async || server.has_redis().await == wanted).await;
}

/// From a submission to the moment at which a reader has it and at which the writer has the answer,
/// at the median.
async fn one_edit_at_a_time(stage: &Stage, there: &Server, edits: usize) -> [Duration; 2] {
    let join = async |server: &Server| {
        NativeClient::join(server.process.address(), &stage.cookie, &stage.documents[0]).await
    };
    let (mut writer, mut reader) = (join(&stage.servers[0]).await, join(there).await);
    // Who joins may be given an earlier text, and what follows it.
    let (_, head) = stage.servers[0].process.head(&stage.cookie, &stage.documents[0]).await;
    for client in [&mut writer, &mut reader] {
        client.take_to(head).await.expect("the connection holds");
    }
    let (mut seen, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..edits {
        writer.edit(0, 1.min(writer.len_chars()), &stage.characters.word(1));
        let began = Instant::now();
        writer.submit().await.expect("there is something to send");
        let writing = async {
            while writer.has_pending() {
                let taken = writer.take_entry().await.expect("the connection holds");
                assert_ne!(taken, Taken::Remote, "nobody else writes");
            }
            began.elapsed()
        };
        let reading = async {
            while reader.take_entry().await.expect("the connection holds") != Taken::Remote {}
            began.elapsed()
        };
        let (wrote, read) = tokio::join!(writing, reading);
        answered.push(wrote);
        seen.push(read);
    }
    [median(seen), median(answered)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_see_an_edit_on_another_server_and_nobody_waits_for_redis() {
    let stage = Stage::new(seed(251), 2, 1, &[]).await;
    let [here, there] = &stage.servers[..] else { panic!("two servers") };
    for server in [here, there] {
        until_has_redis(server, true).await;
    }
    let edits = sized(20, 1_000);
    let [near, with_redis] = one_edit_at_a_time(&stage, here, edits).await;
    let [far, _] = one_edit_at_a_time(&stage, there, edits).await;
    println!(
        "seen on the same server after {near:.2?}, on another one after {far:.2?}: {:.2} times",
        ratio(far, near)
    );
    for server in [here, there] {
        Server::cut_off(&server.to_redis);
        until_has_redis(server, false).await;
    }
    let [_, without_redis] = one_edit_at_a_time(&stage, here, edits).await;
    println!(
        "acknowledged after {with_redis:.2?} with Redis, {without_redis:.2?} without: {:.2} times",
        ratio(without_redis, with_redis)
    );
    let told = stage.servers[0].process.metric("concord_redis_published_total").await;
    assert!(told >= edits as f64, "{told} messages for {edits} edits");
    stage.stop().await;
}

/// What is spread over servers.
#[derive(Clone, Copy, Debug)]
enum Spread {
    /// The people of one document: each document is open on all servers.
    People,
    /// The documents, as a proxy does that goes by the document.
    Documents,
}

/// What a load came to.
struct Throughput {
    operations_per_s: f64,
    appends_per_s: f64,
    operations_per_append: f64,
    /// Of a hundred appends, how many lost their race.
    lost: f64,
    /// Operations of the people of each server.
    shares: Vec<usize>,
    /// How many cores all servers took together, and all of this machine's programs.
    server_cores: f64,
    all_cores: f64,
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Throughput { operations_per_s, appends_per_s, operations_per_append, .. } = self;
        let Throughput { lost, shares, server_cores, all_cores, .. } = self;
        write!(
            f,
            "{operations_per_s:.0} operations a second in {appends_per_s:.0} appends of \
             {operations_per_append:.1}, {lost:.0} of 100 appends lost their race, shares {shares:?}; \
             servers took {server_cores:.1} cores of {all_cores:.1} that were busy"
        )
    }
}

/// Processor time of all programs of this machine so far, in seconds.
fn busy_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").expect("Linux says");
    let line = stat.lines().next().expect("the sum of all cores");
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // User, nice, system; then idle and waiting; then interrupts. A tick is a hundredth.
    (ticks[..3].iter().sum::<f64>() + ticks[5..7].iter().sum::<f64>()) / 100.0
}

/// Everybody types for so long, as fast as answers come.
async fn throughput(stage: &mut Stage, (on, spread): (usize, Spread), people: usize) -> Throughput {
    let lasts = Duration::from_millis(sized(700, 15_000));
    let documents = stage.documents.clone();
    let place = |index: usize| match spread {
        Spread::People => index / documents.len() % on,
        Spread::Documents => index % documents.len() % on,
    };
    let mut crowd: Vec<Person> = (0..people)
        .map(|index| {
            let (document, server) = (index % documents.len(), place(index));
            let address = stage.servers[server].process.address();
            let client = NativeClient::new(address, &stage.cookie, &documents[document]);
            Person::new(client, stage.choices.fork(), HASTY)
        })
        .collect();
    join_all(crowd.iter_mut().map(|person| person.client.connect())).await;
    let appends = async |code: &str| {
        let name = format!(r#"concord_appends_total{{code="{code}"}}"#);
        let mut sum = 0.0;
        for server in &stage.servers {
            sum += server.process.metric(&name).await;
        }
        sum
    };
    let server_s = || stage.servers.iter().map(|server| server.process.cpu_s()).sum::<f64>();
    let before = [appends("done").await, appends("conflict").await];
    let (server_before, busy_before) = (server_s(), busy_s());
    let (began, characters) = (Instant::now(), &stage.characters);
    join_all(crowd.iter_mut().map(async |person| {
        while began.elapsed() < lasts {
            person.write(1, characters).await;
        }
    }))
    .await;
    let took = began.elapsed().as_secs_f64();
    let (server_cores, all_cores) =
        ((server_s() - server_before) / took, (busy_s() - busy_before) / took);
    let after = [appends("done").await, appends("conflict").await];
    let [done, lost] = [after[0] - before[0], after[1] - before[1]];
    let acked = |person: &Person| person.client.acked().len();
    let total: usize = crowd.iter().map(acked).sum();
    let shares = (0..on).map(|server| {
        let here = crowd.iter().enumerate();
        let here = here.filter(|(index, _)| place(*index) == server);
        here.map(|(_, person)| acked(person)).sum()
    });
    let shares: Vec<usize> = shares.collect();
    assert!(total > 0, "a load worth the name");
    Throughput {
        operations_per_s: total as f64 / took,
        appends_per_s: done / took,
        operations_per_append: total as f64 / done.max(1.0),
        lost: 100.0 * lost / (done + lost).max(1.0),
        shares,
        server_cores,
        all_cores,
    }
}

async fn compare(documents: usize, people: usize, spreads: &[Spread], own: u64) {
    let mut stage = Stage::new(seed(own), 2, documents, &[]).await;
    for server in &stage.servers {
        until_has_redis(server, true).await;
    }
    let one = throughput(&mut stage, (1, Spread::People), people).await;
    println!("{documents} documents, {people} people, one server: {one}");
    for spread in spreads {
        let two = throughput(&mut stage, (2, *spread), people).await;
        let times = two.operations_per_s / one.operations_per_s;
        println!("two that share {spread:?}: {two}; {times:.2} times one server's");
    }
    let mut nobody: Vec<Vec<Person>> = Vec::new();
    stage.judge(&mut nobody).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_one_hot_document() {
    compare(1, 64, &[Spread::People], 252).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_many_documents() {
    compare(64, 128, &[Spread::People, Spread::Documents], 253).await;
}
