//! The controls: each kind of damage, done on purpose, turns the oracle red, and the proxy fails as
//! it is told to. Without them a green scenario would prove nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Stage;
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence, Violation, judge};
use crate::support::proxy::{Flow, Network, Proxy, Trap};
use crate::support::{DEADLINE, until};

/// A client that has typed a word and sent it, and has not read the answer.
async fn unanswered(stage: &Stage, word: &str) -> NativeClient {
    let address = stage.process.address();
    let mut client = NativeClient::join(address, &stage.cookie, &stage.document).await;
    let head = client.revision();
    client.edit(0, 0, word);
    client.submit().await.expect("there is something to send");
    until("the word is committed", async || {
        stage.process.head(&stage.cookie, &stage.document).await.1 > head
    })
    .await;
    client
}

/// Ends the server and gathers everything there is to judge by.
async fn gather(stage: Stage, clients: &[&NativeClient]) -> Evidence {
    let served = stage.process.head(&stage.cookie, &stage.document).await;
    stage.process.stop().await;
    let store = oracle::open(&stage.database).await;
    let (log, loaded) = oracle::read(&*store, &stage.document).await;
    let accounts = clients.iter().map(|&client| Account::from(client)).collect();
    Evidence { log, served, loaded, accounts }
}

/// Two clients that have typed three words and agree.
async fn agreed() -> Evidence {
    let stage = Stage::new(1, &[]).await;
    let mut one = unanswered(&stage, "éè").await;
    one.take_to(1).await.expect("the connection holds");
    let mut two = unanswered(&stage, "漢字").await;
    two.take_to(2).await.expect("the connection holds");
    one.take_to(2).await.expect("the connection holds");
    one.edit(0, 0, "🦀");
    assert!(one.submit_and_wait_until_committed().await);
    one.take_to(3).await.expect("the connection holds");
    two.take_to(3).await.expect("the connection holds");
    gather(stage, &[&one, &two]).await
}

fn violations(evidence: &Evidence) -> Vec<Violation> {
    judge(evidence).err().unwrap_or_default()
}

#[tokio::test]
async fn damage_to_what_was_kept_or_told_is_seen() {
    let sound = agreed().await;
    assert_eq!(violations(&sound), []);
    let client = sound.accounts[0].client.clone();

    let mut told = sound.clone();
    told.accounts[0].acked.insert(3, 4);
    let lost = Violation::Lost { client: client.clone(), seq: 3, revision: 4 };
    assert_eq!(violations(&told), [lost], "an ack for what is not in the log");

    let mut dropped = sound.clone();
    dropped.log.pop();
    let found = violations(&dropped);
    let lost = Violation::Lost { client: client.clone(), seq: 2, revision: 3 };
    assert!(found.contains(&lost), "the last acknowledged row is gone: {found:?}");

    let mut torn = sound.clone();
    torn.log.remove(1);
    let gap = Violation::Gap { expected: 2, found: 3 };
    assert!(violations(&torn).contains(&gap), "a revision is missing");

    let mut doubled = sound.clone();
    let again = doubled.log[2].clone();
    doubled.log.push(again);
    let twice = Violation::Doubled { client: client.clone(), seq: 2, revisions: [3, 3] };
    assert!(violations(&doubled).contains(&twice), "a row twice");

    let mut altered = sound.clone();
    altered.log[2].operation = altered.log[1].operation.clone();
    let other = Violation::Altered { client: client.clone(), seq: 2, revision: 3 };
    assert!(violations(&altered).contains(&other), "another text under the client's name");

    let mut apart = sound.clone();
    apart.accounts[1].text.push('x');
    assert!(matches!(violations(&apart)[..], [Violation::Diverged { .. }]), "a text of its own");

    let mut snapshot = sound;
    snapshot.loaded.clear();
    assert!(matches!(violations(&snapshot)[..], [Violation::Diverged { .. }]), "an empty load");
}

#[tokio::test]
async fn a_client_that_does_not_come_back_is_seen() {
    let stage = Stage::new(2, &[]).await;
    let mut client =
        NativeClient::join(stage.process.address(), &stage.cookie, &stage.document).await;
    client.edit(0, 0, "é");
    client.cut();
    client.submit().await.expect("there is something to send");
    let id = client.id().to_owned();
    let evidence = gather(stage, &[&client]).await;
    let found = violations(&evidence);
    assert!(found.contains(&Violation::Unanswered { client: id, seq: 1 }), "{found:?}");
    assert!(found.iter().any(|found| matches!(found, Violation::Diverged { .. })), "{found:?}");
}

#[tokio::test]
async fn a_client_that_sends_again_under_another_number_is_seen() {
    let stage = Stage::new(3, &[]).await;
    let mut first = unanswered(&stage, "é漢").await;
    first.cut();
    // Instead of sending submission 1 again, the word is typed into a new submission.
    let mut second = unanswered(&stage, "é漢").await;
    second.take_to(2).await.expect("the connection holds");
    let evidence = gather(stage, &[&second]).await;
    let twice = ['é', '漢'].map(|character| Violation::TypedTwice { character, revisions: [1, 2] });
    assert_eq!(violations(&evidence), twice);
}

/// A server that sends back what it gets, behind a proxy; a connection; and how many bytes came.
async fn echo() -> (Proxy, TcpStream, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let proxy = Proxy::start(listener.local_addr().expect("an address")).await;
    let arrived = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&arrived);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 64];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                counter.fetch_add(read, Ordering::Relaxed);
                let _ = stream.write_all(&buffer[..read]).await;
            }
        }
    });
    let stream = TcpStream::connect(proxy.address()).await.expect("a connection");
    (proxy, stream, arrived)
}

/// What comes back of `word`: as many bytes as are expected, however long they take, and whatever
/// follows them at once. And whether the connection has ended.
async fn comes_back(stream: &mut TcpStream, word: &[u8], expected: usize) -> (Vec<u8>, bool) {
    stream.write_all(word).await.expect("the proxy reads");
    let mut back = Vec::new();
    let mut buffer = [0; 64];
    let quiet = Duration::from_millis(150);
    loop {
        let limit = if back.len() < expected { DEADLINE } else { quiet };
        match tokio::time::timeout(limit, stream.read(&mut buffer)).await {
            Ok(Ok(read @ 1..)) => back.extend(&buffer[..read]),
            Ok(_) => return (back, true),
            Err(_) => return (back, false),
        }
    }
}

/// Sends a word and expects what comes back.
async fn check(stream: &mut TcpStream, word: &[u8], expected: &[u8]) {
    assert_eq!(comes_back(stream, word, expected.len()).await, (expected.to_vec(), false));
}

/// Sends a word and expects the end of the connection, and nothing before it.
async fn check_end(stream: &mut TcpStream, word: &[u8]) {
    assert_eq!(comes_back(stream, word, usize::MAX).await, (vec![], true));
}

#[tokio::test]
async fn the_network_fails_as_it_is_told_to() {
    let with = |up, down| Network { up, down };
    let (proxy, mut stream, _) = echo().await;
    check(&mut stream, b"good", b"good").await;
    proxy.set(with(Flow::Pass, Flow::Hold));
    check(&mut stream, b"held", b"").await;
    proxy.set(with(Flow::Pass, Flow::Pass));
    check(&mut stream, b"-on", b"held-on").await;
    proxy.set(with(Flow::Pass, Flow::Throttle(1_000)));
    check(&mut stream, &[b'x'; 60], &[b'x'; 60]).await;
    proxy.set(with(Flow::Dead, Flow::Pass));
    check(&mut stream, b"dead", b"").await;
    proxy.set(Network::GOOD);
    // Lost is lost.
    check(&mut stream, b"still", b"").await;
    proxy.cut();
    check_end(&mut stream, b"").await;

    let (proxy, mut stream, _) = echo().await;
    proxy.set(with(Flow::CutAfter(6), Flow::Pass));
    check(&mut stream, b"four", b"four").await;
    assert!(comes_back(&mut stream, b"more", usize::MAX).await.1, "cut in the middle");

    for delivers in [true, false] {
        let (proxy, mut stream, arrived) = echo().await;
        proxy.trap(Trap { needle: b"rap".to_vec(), delivers });
        check(&mut stream, b"free", b"free").await;
        check_end(&mut stream, b"trap").await;
        assert!(!proxy.is_set());
        let expected = if delivers { 8 } else { 4 };
        assert_eq!(arrived.load(Ordering::Relaxed), expected, "cut before or after it arrived");
    }
}
