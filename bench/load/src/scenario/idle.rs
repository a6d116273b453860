//! What connections cost that have a document open and do nothing, and how quickly they come.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};

use super::Size;
use crate::connection::Connection;
use crate::driver::Brought;
use crate::figures::Figures;
use crate::process;
use crate::subject::{Places, Running, Setup, Subject};

/// People in one document.
const TOGETHER: usize = 20;

/// Connections that open documents again and again.
const JOINING: usize = 64;

const SCENARIO: &str = "s4";

/// See the module.
pub(super) async fn run(
    subject: Subject,
    places: &Places,
    size: Size,
    figures: &mut Figures,
) -> Result<()> {
    let people = size.count(2_000, 500);
    let documents = people / TOGETHER;
    let running = Running::start(subject, places, documents)?;
    let setup = Setup::new(&running, documents, 100).await?;
    let drivers = |people: usize| -> Vec<_> {
        (0..people).map(|index| setup.driver(index, index % documents)).collect()
    };
    let open = |people| Connection::open_all(setup.address(), Ipv4Addr::LOCALHOST, drivers(people));
    // Everything that is made once is made now, each document opened.
    let first = open(documents).await?;
    let id = running.process();
    let before = process::resident_bytes(id)?;
    let started = Instant::now();
    let mut connections = open(people).await?;
    let opened = started.elapsed();
    settle(&mut connections, Duration::from_secs(2)).await;
    let after = process::resident_bytes(id)?;
    let cpu = process::cpu_us(id)?;
    let quiet = size.seconds(5.0, 2.0);
    settle(&mut connections, quiet).await;
    let idle_us = process::cpu_us(id)? - cpu;
    let kilobytes = after.saturating_sub(before) as f64 / people as f64 / 1024.0;
    figures.add(SCENARIO, subject, "KB/connection", kilobytes);
    figures.add(SCENARIO, subject, "opened/s", people as f64 / opened.as_secs_f64());
    figures.add(SCENARIO, subject, "idle CPU %", idle_us as f64 / quiet.as_secs_f64() / 1e4);
    drop((first, connections));
    if subject.is_concord() {
        figures.add(SCENARIO, subject, "joins/s", joins_per_s(&setup, size).await?);
    }
    Ok(())
}

/// Takes in what comes to idle connections, presence for the most part.
async fn settle(connections: &mut [Connection], time: Duration) {
    let end = tokio::time::Instant::now() + time;
    let reading = connections
        .iter_mut()
        .map(|connection| async { while let Some(Ok(_)) = connection.socket.next().await {} });
    let _ = tokio::time::timeout_at(end, futures_util::future::join_all(reading)).await;
}

/// How often a second documents are opened over connections that are there already, each its own.
async fn joins_per_s(setup: &Setup, size: Size) -> Result<f64> {
    let documents = size.count(2_000, 500) / TOGETHER;
    let drivers = (0..JOINING).map(|index| setup.driver(index, index % documents)).collect();
    let connections = Connection::open_all(setup.address(), Ipv4Addr::LOCALHOST, drivers).await?;
    let time = size.seconds(5.0, 2.0);
    let started = Instant::now();
    let joining = connections.into_iter().map(|mut connection| async move {
        let mut count = 0_u64;
        while started.elapsed() < time {
            for message in connection.driver.opening() {
                connection.socket.send(message).await?;
            }
            let mut brought = Brought::default();
            while !brought.joined {
                let Some(message) = connection.socket.next().await else { break };
                let message = message?;
                // Joined again, the channel before is closed.
                if message.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"left""#)) {
                    continue;
                }
                connection.driver.receive(&message, &mut brought)?;
            }
            count += 1;
        }
        anyhow::Ok(count)
    });
    let counts = futures_util::future::try_join_all(joining).await?;
    Ok(counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64())
}
