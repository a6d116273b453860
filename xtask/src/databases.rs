//! Private PostgreSQL and Redis servers for tests: on free ports of the loopback interface, in a temporary folder, and
//! gone when the value goes. `fsync` stays on, because what the stores promise depends on it.
//!
//! A crate whose tests need them says so in its Cargo.toml: `[package.metadata.concord]` with
//! `test-services = ["postgres", "redis"]`. Its tests find them by [`POSTGRES_VARIABLE`] and [`REDIS_VARIABLE`].

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{Process, answer};
use crate::step::{quiet, step};
use crate::{install, interrupt, paths, port};

/// Names the URL of an empty PostgreSQL database.
pub(crate) const POSTGRES_VARIABLE: &str = "CONCORD_TEST_DATABASE_URL";

/// Names the URL of an empty Redis.
pub(crate) const REDIS_VARIABLE: &str = "CONCORD_TEST_REDIS_URL";

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often a starting server is asked.
const POLL: Duration = Duration::from_millis(50);

/// The servers that some tests asked for, and the variables that name them.
#[derive(Default)]
pub(crate) struct Databases {
    running: Vec<Server>,
    variables: Vec<(&'static str, String)>,
}

impl Databases {
    /// Starts what the workspace's crates declare; nothing when none declares anything, or when the variable is
    /// already set to a server of one's own.
    pub(crate) fn start_declared() -> Result<Self> {
        let mut databases = Self::default();
        let declared = declared()?;
        if declared.contains("\"postgres\"") && std::env::var_os(POSTGRES_VARIABLE).is_none() {
            databases.add(
                POSTGRES_VARIABLE,
                step("start a private PostgreSQL", || Ok((postgres()?, String::new())))?,
            );
        }
        if declared.contains("\"redis\"") && std::env::var_os(REDIS_VARIABLE).is_none() {
            databases.add(
                REDIS_VARIABLE,
                step("start a private Redis", || Ok((redis()?, String::new())))?,
            );
        }
        Ok(databases)
    }

    fn add(&mut self, variable: &'static str, server: Server) {
        self.variables.push((variable, server.url.clone()));
        self.running.push(server);
    }

    /// Tells a command where the servers are.
    pub(crate) fn export(&self, command: &mut Command) {
        command.envs(self.variables.iter().cloned());
    }
}

/// The `test-services` lines of all crates, one below the other.
fn declared() -> Result<String> {
    let mut lines = String::new();
    for entry in fs::read_dir(paths::root())? {
        let manifest = fs::read_to_string(entry?.path().join("Cargo.toml")).unwrap_or_default();
        lines.extend(
            manifest
                .lines()
                .filter(|line| line.starts_with("test-services"))
                .map(|line| format!("{line}\n")),
        );
    }
    Ok(lines)
}

/// A database server that ends, and whose files go, with this value.
pub(crate) struct Server {
    url: String,
    process: Process,
    folder: Folder,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it does not wait for connections that a failed test left open.
        self.process.stop_with("INT");
    }
}

/// A temporary folder that goes with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("concord-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts PostgreSQL with an empty database `concord`.
pub(crate) fn postgres() -> Result<Server> {
    let programs = postgres_programs()?;
    let folder = Folder::new("postgres")?;
    let user = Account::for_postgres(&folder.0)?;
    let data = folder.0.join("data");
    let mut init = Command::new(programs.join("initdb"));
    init.args([
        "--username",
        "concord",
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--no-sync",
        "--pgdata",
    ]);
    quiet(user.apply(&folder.0, init.arg(&data)))?;
    let port = port::free()?;
    let mut command = Command::new(programs.join("postgres"));
    command.arg("-D").arg(&data).arg("-k").arg(&folder.0).args([
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
    ]);
    command.args(["-c", "max_connections=200"]);
    let process = Process::start(logged(user.apply(&folder.0, &mut command), &folder.0)?)?;
    let url = format!("postgres://concord@127.0.0.1:{port}/concord");
    let mut server = Server { url, process, folder };
    let maintenance = format!("postgres://concord@127.0.0.1:{port}/postgres");
    let psql = programs.join("psql").display().to_string();
    server.wait_until(|| {
        answer(&psql, &[&maintenance, "-qtAc", "select 1"]).as_deref() == Some("1")
    })?;
    quiet(Command::new(&psql).args([&maintenance, "-qc", "create database concord"]))?;
    Ok(server)
}

/// The folder of PostgreSQL's programs: where the `initdb` of the PATH really lies, or Debian's newest.
fn postgres_programs() -> Result<PathBuf> {
    let is_complete =
        |bin: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| bin.join(name).is_file());
    let found = || {
        let in_path = install::find("initdb", &[])
            .and_then(|file| Some(file.canonicalize().ok()?.parent()?.to_owned()));
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let newest = versions.map(|version| version.path().join("bin")).filter(is_complete).max();
        in_path.filter(is_complete).or(newest)
    };
    if let Some(folder) = found() {
        return Ok(folder);
    }
    install::packages(&["postgresql"])?;
    found().context("PostgreSQL is installed, but its programs are not where they should be")
}

/// Starts Redis without persistence.
pub(crate) fn redis() -> Result<Server> {
    let program = install::need("redis-server", &[], "redis-server")?;
    let folder = Folder::new("redis")?;
    let port = port::free()?;
    let mut command = Command::new(program);
    command.args([
        "--bind",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
    ]);
    let process = Process::start(logged(command.arg(&folder.0), &folder.0)?)?;
    let mut server = Server { url: format!("redis://127.0.0.1:{port}/"), process, folder };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    server.wait_until(|| {
        port::ask(address, "PING\r\n").is_some_and(|reply| reply.starts_with("+PONG"))
    })?;
    Ok(server)
}

/// Sends both streams of a server into a file of its folder.
fn logged<'a>(command: &'a mut Command, folder: &Path) -> Result<&'a mut Command> {
    let log = fs::File::create(folder.join("log")).context("cannot write a log")?;
    Ok(command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log)))
}

impl Server {
    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process, which starts all others.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server answers.
    ///
    /// # Errors
    /// When it ends or takes too long; its log is printed.
    fn wait_until(&mut self, answers: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !answers() {
            interrupt::check()?;
            if self.process.ended()?.is_some() || started.elapsed() > START_LIMIT {
                eprintln!("{}", fs::read_to_string(self.folder.0.join("log")).unwrap_or_default());
                bail!("the server for {} did not start", self.url);
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// The account a server runs as. PostgreSQL refuses to run as root.
struct Account(Option<(u32, u32)>);

impl Account {
    fn for_postgres(folder: &Path) -> Result<Self> {
        if !install::is_root() {
            return Ok(Self(None));
        }
        let number = |flag| answer("id", &[flag, "postgres"]).and_then(|text| text.parse().ok());
        let (Some(user), Some(group)) = (number("-u"), number("-g")) else {
            bail!(
                "PostgreSQL does not run as root, and there is no user postgres; to make one: useradd --system postgres"
            );
        };
        chown(folder, Some(user), Some(group))
            .with_context(|| format!("cannot give {} away", folder.display()))?;
        Ok(Self(Some((user, group))))
    }

    /// Makes a command run as the account, in a folder that it may enter.
    fn apply<'a>(&self, folder: &Path, command: &'a mut Command) -> &'a mut Command {
        command.current_dir(folder);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_answers_with_fsync_on_and_leaves_nothing_behind() {
        let server = postgres().unwrap();
        let (url, folder, id) = (server.url.clone(), server.folder.0.clone(), server.process.id());
        let psql = postgres_programs().unwrap().join("psql").display().to_string();
        assert_eq!(answer(&psql, &[&url, "-qtAc", "select 1"]).as_deref(), Some("1"));
        assert_eq!(answer(&psql, &[&url, "-qtAc", "show fsync"]).as_deref(), Some("on"));
        drop(server);
        assert!(!folder.exists());
        assert!(
            answer("sh", &["-c", &format!("kill -0 {id}")]).is_none(),
            "process {id} still runs"
        );
    }

    #[test]
    fn redis_answers_and_leaves_nothing_behind() {
        let server = redis().unwrap();
        let address =
            server.url.trim_start_matches("redis://").trim_end_matches('/').parse().unwrap();
        assert_eq!(port::ask(address, "PING\r\n").as_deref(), Some("+PONG\r\n"));
        let folder = server.folder.0.clone();
        drop(server);
        assert!(!folder.exists());
        assert_eq!(port::ask(address, "PING\r\n"), None);
    }
}
