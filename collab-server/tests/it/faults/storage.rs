//! A SQLite file that somebody else has locked, and a disk that is full: acknowledgements pause,
//! nothing is lost, and the server goes on by itself.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::{OPEN, Stage, seed, serve, sized};
use crate::support::person::Temper;
use crate::support::process::{Process, Start, sqlite_in};
use crate::support::until;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(20), patience: Duration::from_secs(2), haste: 20 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_has_locked_costs_only_time() {
    // Longer than the server waits for a lock, so that appends fail.
    lock(&sized(vec![6], vec![6, 12, 30]), seed(31), None).await;
}

/// Locks the file for so many seconds each, under a server that may be defective.
pub(super) async fn lock(holds_s: &[u64], seed: u64, stand_in: Option<&'static str>) {
    let mut stage = Stage::with(seed, &[], stand_in).await;
    let address = stage.process.address();
    let mut people = stage.people(address, 8, TEMPER).await;
    for hold_s in holds_s {
        let options: SqliteConnectOptions = stage.database.parse().expect("a database");
        let mut other = options.connect().await.expect("another process");
        let writing = people.iter_mut().map(|person| person.write(40, &stage.characters));
        let before = stage.setbacks().await;
        let outage = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sqlx::query("begin immediate").execute(&mut other).await.expect("the lock");
            let locked = Instant::now();
            if stage.stand_in.is_none() {
                until("appends fail", async || stage.setbacks().await > before).await;
            }
            let left = Duration::from_secs(*hold_s).saturating_sub(locked.elapsed());
            tokio::time::sleep(left).await;
            sqlx::query("rollback").execute(&mut other).await.expect("the lock is released");
            other.close().await.expect("closed");
            Instant::now()
        };
        let (released, _) = tokio::join!(outage, join_all(writing));
        println!("locked for {hold_s} s: all acknowledged {:.1?} after", released.elapsed());
    }
    let failed = stage.setbacks().await;
    let total = stage.finish(&mut people).await.acknowledged;
    println!("{failed} appends failed; {total} acknowledged, 0 lost, 0 doubled");
}

/// Types until the disk is full and appends fail, makes room, and lets everybody finish.
async fn fill_up(mut stage: Stage, make_room: impl FnOnce(&Process)) -> String {
    let address = stage.process.address();
    let mut people = stage.people(address, 4, TEMPER).await;
    let there = &stage;
    let full = tokio::sync::watch::channel(false).0;
    let filling = people.iter_mut().map(|person| {
        let mut full = full.subscribe();
        async move {
            // Each word is as much text as an operation may have.
            while !*full.borrow_and_update() {
                let word = "x".repeat(2_000);
                person.client.edit(0, person.client.len_chars().min(500), &word);
                person.edit(&there.characters);
                person.step(Duration::from_millis(20)).await;
            }
            person.write(20, &there.characters).await;
        }
    });
    let watching = async {
        until("appends fail", async || there.setbacks().await > 0.0).await;
        full.send_replace(true);
        // It is full for a while, and the last edits are made while it is.
        until("more fail", async || there.setbacks().await > 3.0).await;
        make_room(&there.process);
    };
    tokio::join!(watching, join_all(filling));
    let failed = stage.setbacks().await;
    let total = stage.finish(&mut people).await.acknowledged;
    format!(
        "full: {failed} appends failed, {total} submissions acknowledged, 0 lost, 0 doubled, \
         without a restart"
    )
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_the_system_refuses_costs_only_time() {
    for round in 0..sized(1, 5) {
        let folder = tempfile::tempdir().expect("a folder");
        let database = sqlite_in(folder.path());
        let limit = format!("-f {}", 600 + 100 * round);
        let start =
            Start { database: &database, flags: &OPEN, limit: Some(&limit), ..Start::default() };
        let process = Process::start_as(start).await;
        let stage = Stage::on(database, process, seed(41) + round).await;
        let line = fill_up(stage, |process| {
            let id = process.id().to_string();
            assert!(runs("prlimit", &["--pid", &id, "--fsize=unlimited"]), "the limit is lifted");
        });
        println!("file size limit {}", line.await);
    }
}

/// A small file system of its own, gone with this value.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where the system does not let us mount.
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("a path").to_owned();
        let size = format!("size={size}");
        runs("mount", &["-t", "tmpfs", "-o", &size, "concord-test", &path]).then(|| Disk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn grow(&self, size: &str) {
        let path = self.path().to_str().expect("a path");
        let options = format!("remount,size={size}");
        assert!(runs("mount", &["-o", &options, path]), "the disk grows");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        runs("umount", &["--lazy", self.path().to_str().expect("a path")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_only_time() {
    for round in 0..sized(1, 5) {
        let Some(disk) = Disk::new(&format!("{}k", 1_500 + 300 * round)) else {
            println!("no right to mount: a refused write stands for the full disk");
            return;
        };
        let folder = tempfile::tempdir_in(disk.path()).expect("a folder");
        let database = sqlite_in(folder.path());
        let process = serve(&database, &[]).await;
        let stage = Stage::on(database, process, seed(51) + round).await;
        println!("disk {}", fill_up(stage, |_| disk.grow("64m")).await);
    }
}
