//! Strangers take every file handle that the server may have. Those who are there go on, and once
//! there are handles again, others come in.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;

use super::{OPEN, Stage, seed, sized};
use crate::support::person::Temper;
use crate::support::process::{Process, Start, sqlite_in};
use crate::support::until;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(20), patience: Duration::from_secs(2), haste: 20 };

/// Handles that the server may have.
const HANDLES: usize = 64;

fn open_handles(process: &Process) -> usize {
    let handles = std::fs::read_dir(format!("/proc/{}/fd", process.id()));
    handles.expect("Linux lists a process' handles").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_free_file_handle_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite_in(folder.path());
    let limit = format!("-n {HANDLES}");
    let flags = [&OPEN[..], &["--header-timeout-ms", "60000"]].concat();
    let start =
        Start { database: &database, flags: &flags, limit: Some(&limit), ..Start::default() };
    let process = Process::start_as(start).await;
    let mut stage = Stage::on(database, process, seed(101)).await;
    let address = stage.process.address();
    let mut people = stage.people(address, 6, TEMPER).await;
    for _ in 0..sized(1, 10) {
        let mut strangers = Vec::new();
        for _ in 0..2 * HANDLES {
            strangers.push(TcpStream::connect(address).await.expect("the system takes it"));
        }
        until("no handle is left", async || open_handles(&stage.process) >= HANDLES).await;
        let writing = people.iter_mut().map(|person| person.write(20, &stage.characters));
        join_all(writing).await;
        assert!(people.iter().all(|person| person.losses == 0), "who is there stays");
        drop(strangers);
        let mut late = stage.person(address, TEMPER);
        late.write(3, &stage.characters).await;
        people.push(late);
    }
    let peak = open_handles(&stage.process);
    let verdict = stage.finish(&mut people).await;
    println!(
        "no handle left of {HANDLES} ({peak} in the end): {} acknowledged, 0 lost, 0 doubled",
        verdict.acknowledged
    );
}
