//! Figures for a dashboard: as often as they may come, and complete.

use collab_protocol::ServerMessage;
use tokio::time::Instant;

use super::*;
use crate::dashboard;

/// How long the load lasts, in seconds of the paused clock.
const LOAD_S: u64 = 15;

/// The figures that come until the load is over, each with its moment. `churns`: opens and closes
/// all the time meanwhile.
async fn figures(mut peer: Peer, until: Instant, churns: bool) -> Vec<(Instant, Value)> {
    let mut heard = Vec::new();
    peer.say(json!({"type": "figures_open"})).await;
    while Instant::now() < until {
        let wait = Duration::from_millis(70);
        if let Ok(message) = tokio::time::timeout(wait, peer.next()).await {
            assert_eq!(message["type"], "figures", "{message}");
            heard.push((Instant::now(), message));
        }
        if churns {
            peer.say(json!({"type": "figures_close"})).await;
            peer.say(json!({"type": "figures_open"})).await;
        }
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn a_watcher_gets_one_frame_a_second_at_most_under_any_load_and_misses_nothing() {
    let rates = ["--submissions-per-s", "100000", "--submissions-burst", "1000000"];
    let server = Server::start(&rates).await;
    server.create(1, "").await;
    tokio::spawn(dashboard::run(Arc::clone(&server.app)));
    let until = Instant::now() + Duration::from_secs(LOAD_S);
    let steady = tokio::spawn(figures(server.connect(1).await, until, false));
    let churning = tokio::spawn(figures(server.connect(1).await, until, true));
    let mut writer = server.connect(2).await;
    writer.join(1, 1, None).await;
    let mut seq = 0;
    while Instant::now() < until {
        let op = if seq == 0 { json!(["x"]) } else { json!([seq, "x"]) };
        seq += 1;
        writer.submit(1, seq, seq - 1, op).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert!(seq > 1_000, "{seq} edits are no load");
    for (watching, begins) in [(steady, 1), (churning, usize::MAX)] {
        let heard = watching.await.expect("it watched");
        let gaps = heard.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let least = gaps.min().expect("several frames");
        assert!(least >= Duration::from_secs(1), "{least:?} between two frames");
        assert!(heard.len() as u64 >= LOAD_S - 2, "only {} frames", heard.len());
        let firsts = heard.iter().filter(|(_, frame)| frame["first"] == true).count();
        assert_eq!(firsts, begins.min(heard.len()), "each begins anew, or the first one does");
        let seconds = |frame: &Value| frame["seconds"].as_array().map_or(0, Vec::len) as u64;
        let told: u64 = match begins {
            1 => heard.iter().map(|(_, frame)| seconds(frame)).sum(),
            _ => seconds(&heard.last().expect("several frames").1),
        };
        assert!((LOAD_S - 2..=LOAD_S).contains(&told), "{told} seconds of {LOAD_S}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_away_gets_all_it_missed_in_one_frame() {
    let server = Server::start(&[]).await;
    let mut ada = server.connect(1).await;
    ada.say(json!({"type": "figures_open", "of": "own"})).await;
    assert_eq!(ada.next().await["seconds"], json!([]));
    tokio::time::sleep(dashboard::WINDOW).await;
    for _ in 0..3 {
        // Without a pause: nothing of this session runs in between.
        server.app.dashboard.tick(&server.app);
    }
    let figures = ada.next().await;
    assert_eq!(figures["seconds"].as_array().map(Vec::len), Some(3), "{figures}");
    assert_eq!(figures["first"], false);
    let decoded = ServerMessage::decode(&figures.to_string()).expect("it is one");
    assert!(matches!(decoded, ServerMessage::Figures(_)));
}

#[tokio::test(start_paused = true)]
async fn one_watcher_too_many_is_refused_and_closing_makes_room() {
    let server = Server::start(&[]).await;
    let mut inside = Vec::new();
    for person in 0..dashboard::WATCHERS_MAX as u32 {
        let mut peer = server.connect(person + 10).await;
        peer.say(json!({"type": "figures_open"})).await;
        assert_eq!(peer.next().await["type"], "figures");
        inside.push(peer);
    }
    let mut late = server.connect(1).await;
    late.say(json!({"type": "figures_open"})).await;
    let refused = json!({"type": "figures_refused", "code": "overloaded"});
    assert_eq!(late.next().await, refused);
    inside[0].say(json!({"type": "figures_close"})).await;
    inside[0].is_served().await;
    late.say(json!({"type": "figures_open"})).await;
    assert_eq!(late.next().await["type"], "figures");
}
