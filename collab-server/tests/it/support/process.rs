//! The server as operators run it: a process, started, signalled, measured and ended.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::DEADLINE;
use super::http::{Answer, Request};

/// A running `collab-server`, which ends with this value.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// How a process is started, besides its flags.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start<'a> {
    /// Where the database is, as `--database` takes it.
    pub(crate) database: &'a str,
    /// Where it listens, where it matters.
    pub(crate) listen: Option<SocketAddr>,
    /// Further flags.
    pub(crate) flags: &'a [&'a str],
    /// A limit of its resources, as bash's `ulimit` takes it. It is soft, so that it can be lifted.
    pub(crate) limit: Option<&'a str>,
    /// A test of this very program that serves in the server's place; it finds its arguments, one a
    /// line, in [`STAND_IN`].
    pub(crate) stand_in: Option<&'a str>,
    /// Where `strace` writes what the process writes, syncs and sends.
    pub(crate) trace: Option<&'a Path>,
}

/// Names the arguments of a stand-in.
pub(crate) const STAND_IN: &str = "CONCORD_TEST_STAND_IN";

/// The database file of a folder, as `--database` takes it.
pub(crate) fn sqlite_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("concord.db").display())
}

impl Process {
    /// Starts the program on a free port and waits until it serves.
    pub(crate) async fn start(database: &str, flags: &[&str]) -> Self {
        Self::start_as(Start { database, flags, ..Start::default() }).await
    }

    pub(crate) async fn start_as(start: Start<'_>) -> Self {
        let program = env!("CARGO_BIN_EXE_collab-server");
        let mut command = match start.limit {
            None => Command::new(program),
            Some(limit) => {
                // A shell is the plainest way to a limit without a privilege or unsafe code.
                // Without the trap a file that grows too large would be a signal.
                let mut shell = Command::new("bash");
                let script = format!("trap '' XFSZ; ulimit -S {limit}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, program]);
                shell
            }
        };
        let listen = start.listen.map_or("127.0.0.1:0".to_owned(), |address| address.to_string());
        let own = ["--listen", &listen, "--log-format", "json", "--database", start.database];
        let arguments = [&own, start.flags].concat();
        command.env_clear();
        match start.stand_in {
            None => command.args(arguments),
            Some(test) => {
                command = Command::new(std::env::current_exe().expect("this program"));
                command.args([test, "--exact", "--nocapture"]).stdout(Stdio::null());
                command.env_clear().env(STAND_IN, arguments.join("\n"))
            }
        };
        if let Some(file) = start.trace {
            command = traced(&command, file);
        }
        let mut child = command
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("its log");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (announce, mut announced) = watch::channel(None);
        let lines = Arc::clone(&log);
        // Read all along: a full pipe would stop the program.
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = stderr.next_line().await {
                if announce.borrow().is_none()
                    && let Ok(value) = serde_json::from_str::<Value>(&line)
                    && let Some(address) = value["address"].as_str()
                {
                    announce.send_replace(Some(address.parse().expect("an address")));
                }
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let serving = tokio::time::timeout(DEADLINE, announced.wait_for(Option::is_some)).await;
        let address = match serving {
            Ok(Ok(address)) => address.expect("waited for"),
            _ => panic!("the program does not serve: {:?}", log.lock()),
        };
        Process { child, address, log }
    }

    /// The processes that it started: what it traces.
    pub(crate) fn children(&self) -> Vec<u32> {
        children_of(self.id())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number that signals and `/proc` know it by.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Sends a signal, such as `-TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        ended.expect("ended in time").expect("its status")
    }

    /// Ends it at once, as a lost machine does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("a running process can be killed");
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) {
        self.signal("-TERM");
        let status = self.ended().await;
        assert!(status.success(), "{status}: {:?}", self.log());
        self.assert_no_panic();
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No task of the server has met a bug.
    #[track_caller]
    pub(crate) fn assert_no_panic(&self) {
        for line in self.log() {
            assert!(!line.contains("panicked") && !line.contains("stopped by a bug"), "{line}");
        }
    }

    /// Memory that it had in use at its peak, in bytes.
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// Memory that it has in use, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// Processor time that it has taken, in seconds.
    pub(crate) fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()));
        let stat = stat.expect("Linux tells a process' time");
        let behind_name = stat.rsplit(')').next().expect("its name is in brackets");
        let ticks = behind_name.split_whitespace().skip(11).take(2);
        // A tick is a hundredth of a second.
        ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
    }

    fn status_bytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("Linux tells a process' memory");
        let line = status.lines().find(|line| line.starts_with(name)).expect("the figure");
        let kib = line.split_whitespace().nth(1).expect("a number");
        kib.parse::<u64>().expect("a number") * 1_024
    }

    /// From now on the peak counts from what is in use now, in bytes: what it is here.
    pub(crate) fn forget_memory_peak(&self) -> u64 {
        std::fs::write(format!("/proc/{}/clear_refs", self.id()), "5").expect("a process of ours");
        self.memory_peak_bytes()
    }

    /// The value of one line of `/metrics`, with its labels; 0 when it is not there yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = Request::get("/metrics").send(self.address).await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// The cookie of a new guest.
    pub(crate) async fn new_guest(&self) -> String {
        Request::get("/api/me").send(self.address).await.cookie().expect("guests are known")
    }

    pub(crate) async fn create_document(&self, cookie: &str, text: &str) -> String {
        let body = json!({ "text": text });
        let request = Request::post("/api/documents").json(&body).header("cookie", cookie);
        let answer = request.send(self.address).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// A document's text and revision, once the server gives it.
    pub(crate) async fn head(&self, cookie: &str, document: &str) -> (String, u64) {
        let asking = async {
            loop {
                let answer = self.ask_text(cookie, document).await;
                if answer.status == 200 {
                    let revision = answer.header("concord-revision").expect("a revision");
                    let revision = revision.parse().expect("a number");
                    return (answer.text(), revision);
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(DEADLINE, asking).await.expect("the text in time")
    }

    pub(crate) async fn ask_text(&self, cookie: &str, document: &str) -> Answer {
        let path = format!("/api/documents/{document}/text");
        Request::get(&path).header("cookie", cookie).send(self.address).await
    }
}

/// The same command under `strace`.
fn traced(command: &Command, file: &Path) -> Command {
    let command = command.as_std();
    let mut tracer = Command::new("strace");
    let found = std::process::Command::new("strace").arg("-V").stdout(Stdio::null()).status();
    found.expect("the audit needs strace: run `cargo xtask test`, or `apt-get install strace`");
    tracer.args(["-f", "-qq", "-y", "-s", "5000", "-o"]).arg(file).arg("-e");
    tracer.arg("trace=fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg");
    tracer.arg(command.get_program()).args(command.get_args()).env_clear();
    tracer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    tracer.envs(std::env::var("PATH").map(|path| ("PATH", path)));
    tracer
}

/// The processes whose parent is `parent`.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("the processes").flatten();
    entries
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in parentheses, may hold anything; state and parent come behind it.
            let (_, rest) = stat.rsplit_once(')')?;
            (rest.split_whitespace().nth(1)?.parse() == Ok(parent)).then_some(id)
        })
        .collect()
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(id: u32, name: &str) {
    let status = std::process::Command::new("kill").arg(name).arg(id.to_string()).status();
    assert!(status.expect("kill runs").success(), "process {id} takes {name}");
}
