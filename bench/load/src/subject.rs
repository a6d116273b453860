//! The servers that are measured, and how each is started: on the loopback interface, on a processor of its own.

mod setup;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
pub(crate) use setup::{Setup, TEXT_LEN};

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(30);

/// A server by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Concord,
    ConcordPostgres,
    Relay,
    Relay4k,
    DurableRelay,
    WsRelay,
    YWebsocket,
    Hocuspocus,
    ShareDb,
    ShareDbPostgres,
}

impl Subject {
    pub(crate) const ALL: [Subject; 10] = [
        Subject::Concord,
        Subject::Relay,
        Subject::Relay4k,
        Subject::DurableRelay,
        Subject::WsRelay,
        Subject::YWebsocket,
        Subject::Hocuspocus,
        Subject::ShareDb,
        Subject::ConcordPostgres,
        Subject::ShareDbPostgres,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Concord => "concord",
            Subject::ConcordPostgres => "concord-postgres",
            Subject::Relay => "relay",
            Subject::Relay4k => "relay-4k",
            Subject::DurableRelay => "durable-relay",
            Subject::WsRelay => "ws-relay",
            Subject::YWebsocket => "y-websocket",
            Subject::Hocuspocus => "hocuspocus",
            Subject::ShareDb => "sharedb",
            Subject::ShareDbPostgres => "sharedb-postgres",
        }
    }

    pub(crate) fn is_on_postgres(self) -> bool {
        matches!(self, Subject::ConcordPostgres | Subject::ShareDbPostgres)
    }

    pub(crate) fn is_concord(self) -> bool {
        matches!(self, Subject::Concord | Subject::ConcordPostgres)
    }
}

/// Where everything is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Places {
    /// The program collab-server
    #[arg(long)]
    concord: PathBuf,
    /// The program relay
    #[arg(long, default_value = "relay")]
    relay: PathBuf,
    /// The folder of the servers in Node
    #[arg(long, default_value = "bench/peers")]
    peers: PathBuf,
    /// An empty PostgreSQL database
    #[arg(long)]
    postgres: Option<String>,
    /// The process of that PostgreSQL
    #[arg(long)]
    postgres_process: Option<u32>,
    /// The processor that servers run on
    #[arg(long, default_value_t = 0)]
    server_core: usize,
}

impl Places {
    pub(crate) fn has_postgres(&self) -> bool {
        self.postgres.is_some()
    }
}

/// What Concord is told beside its defaults: limits that bind a person, of which a load has fewer than connections.
const LIFTED: &[(&str, &str)] = &[
    ("--connections-max", "100000"),
    ("--connections-per-user-max", "10000"),
    ("--guest-connections-per-address-max", "100000"),
    ("--anonymous-connections-per-address-max", "100000"),
    ("--anonymous-per-s", "1000000"),
    ("--anonymous-burst", "1000000"),
    ("--submissions-per-s", "100000"),
    ("--submissions-burst", "1000000"),
    ("--joins-per-s", "100000"),
    ("--joins-burst", "100000"),
    ("--messages-per-s", "100000"),
    ("--messages-burst", "100000"),
    ("--creates-per-s", "100000"),
    ("--creates-burst", "100000"),
    ("--guest-creates-per-address-per-s", "100000"),
    ("--guest-creates-per-address-burst", "100000"),
    ("--log", "warn"),
];

/// A server that runs; it ends, and its files go, with this value.
pub(crate) struct Running {
    pub(crate) subject: Subject,
    pub(crate) address: SocketAddr,
    child: Child,
    folder: PathBuf,
    database_process: Option<u32>,
}

impl Running {
    /// Starts a server with so many documents.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub(crate) fn start(subject: Subject, places: &Places, documents: usize) -> Result<Running> {
        let folder = std::env::temp_dir().join(format!(
            "concord-load-{}-{}",
            std::process::id(),
            subject.name()
        ));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        Self::start_in(folder, subject, places, documents)
    }

    fn start_in(
        folder: PathBuf,
        subject: Subject,
        places: &Places,
        documents: usize,
    ) -> Result<Running> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new("taskset");
        command.arg("-c").arg(places.server_core.to_string());
        arguments(subject, places, address, &folder, &mut command)?;
        command
            .current_dir(&folder)
            .env("PORT", port.to_string())
            .env("DOCUMENTS", documents.to_string())
            .env("TEXT_LEN", TEXT_LEN.to_string())
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn().context("cannot start taskset")?;
        let database_process =
            if subject.is_on_postgres() { places.postgres_process } else { None };
        let mut running = Running { subject, address, child, folder, database_process };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = running.child.try_wait()? {
                bail!("{} ended before it listened: {status}", subject.name());
            }
            if started.elapsed() > START_MAX {
                bail!("{} does not listen", subject.name());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// Ends the server in order and starts it again on what it left.
    pub(crate) fn restart(mut self, places: &Places) -> Result<Running> {
        self.end();
        let folder = std::mem::take(&mut self.folder);
        Self::start_in(folder, self.subject, places, 1)
    }

    /// The process of the server: taskset becomes what it starts.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Time on a processor of the server alone and of its database's processes, in microseconds.
    pub(crate) fn cpu_us(&self) -> Result<(u64, u64)> {
        let database = self.database_process.map(process::family_cpu_us).transpose()?;
        Ok((process::cpu_us(self.child.id())?, database.unwrap_or(0)))
    }

    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > Duration::from_secs(12) {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        if !self.folder.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The program and what it is told.
fn arguments(
    subject: Subject,
    places: &Places,
    address: SocketAddr,
    folder: &std::path::Path,
    command: &mut Command,
) -> Result<()> {
    let postgres = || places.postgres.clone().context("there is no PostgreSQL");
    match subject {
        Subject::Concord | Subject::ConcordPostgres => {
            let database = match subject {
                Subject::Concord => format!("sqlite:{}", folder.join("concord.db").display()),
                _ => postgres()?,
            };
            command.arg(&places.concord).arg("--listen").arg(address.to_string());
            command.args(["--database", &database]);
            for (flag, value) in LIFTED {
                command.args([flag, value]);
            }
        }
        Subject::Relay => drop(command.arg(&places.relay).arg(address.to_string())),
        Subject::Relay4k => {
            command.arg(&places.relay).arg(address.to_string()).args(["--read-buffer", "4096"]);
        }
        Subject::DurableRelay => {
            command.arg(&places.relay).arg(address.to_string()).arg("--durable");
            command.arg(folder.join("relay.db"));
        }
        Subject::WsRelay => drop(command.arg("node").arg(places.peers.join("ws-relay.mjs"))),
        Subject::YWebsocket => drop(command.arg("node").arg(places.peers.join("y-websocket.cjs"))),
        Subject::Hocuspocus => drop(command.arg("node").arg(places.peers.join("hocuspocus.cjs"))),
        Subject::ShareDb => drop(command.arg("node").arg(places.peers.join("sharedb.mjs"))),
        Subject::ShareDbPostgres => {
            command.arg("node").arg(places.peers.join("sharedb.mjs"));
            command.env("DATABASE_URL", postgres()?);
        }
    }
    Ok(())
}
