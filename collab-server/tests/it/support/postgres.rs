//! A real PostgreSQL for the tests: the one that `cargo xtask test` names, or a private one.
//!
//! A private one lies in a temporary folder on a free port, with `fsync` on, because what is tested
//! depends on it. A small shell watches the test process and removes the server and its folder when
//! that ends, however it ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::process::{children_of, signal};
use super::until;

/// Names the URL of an empty database, where it is set.
const VARIABLE: &str = "CONCORD_TEST_DATABASE_URL";

const MISSING: &str = "these tests need PostgreSQL: run `cargo xtask test collab-server`, which \
                       installs it on Debian; or `sudo apt-get install postgresql`; or set \
                       CONCORD_TEST_DATABASE_URL to the URL of an empty database";

/// A schema of its own for one test, in the database that all tests share.
pub(crate) struct Schema {
    database: String,
    name: String,
}

impl Schema {
    pub(crate) async fn create() -> Schema {
        let schema =
            Schema { database: database().await, name: format!("t{}", Uuid::new_v4().simple()) };
        schema.execute_above(format!("create schema {}", schema.name)).await;
        schema
    }

    /// The database's address, with this schema as the place of all tables.
    pub(crate) fn url(&self) -> String {
        let separator = if self.database.contains('?') { '&' } else { '?' };
        let name = &self.name;
        format!(
            "{}{separator}application_name={name}&options=-csearch_path%3D{name}",
            self.database
        )
    }

    /// Fails when a session of this schema sits in a transaction that nobody goes on with.
    pub(crate) async fn assert_nothing_left_open(&self) {
        let mut connection = connect(&self.database).await;
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where application_name = $1 and state like 'idle in transaction%'",
        )
        .bind(&self.name)
        .fetch_one(&mut connection)
        .await
        .expect("reads");
        assert_eq!(open, 0, "transactions were left open");
    }

    /// A connection beside the store's.
    pub(crate) async fn connect(&self) -> PgConnection {
        connect(&self.url()).await
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut self.connect().await).await.expect("executes");
    }

    async fn execute_above(&self, sql: String) {
        let mut connection = connect(&self.database).await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("executes");
    }

    pub(crate) async fn remove(self) {
        self.execute_above(format!("drop schema {} cascade", self.name)).await;
    }
}

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a database's address");
    options.connect().await.expect("the database takes connections")
}

/// The address of the database that all tests of this process share.
async fn database() -> String {
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    match std::env::var(VARIABLE) {
        Ok(url) if !url.is_empty() => url,
        _ => SHARED.get_or_init(|| Cluster::start(&[])).await.url(),
    }
}

/// A private server.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    flags: Vec<String>,
    /// The main process, whose children do the work.
    server: Child,
    /// Ends when this process does, and takes the server with it.
    watch: Child,
}

impl Cluster {
    /// Makes and starts one with these further flags of `postgres`.
    pub(crate) async fn start(flags: &[&str]) -> Cluster {
        let programs = programs();
        let folder = std::env::temp_dir().join(format!("concord-pg-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder");
        let watch = watch(&folder);
        let data = folder.join("data");
        let mut init = as_postgres(&folder, &programs.join("initdb"));
        init.args(["--username=concord", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        init.args(["--no-sync", "--pgdata"]).arg(&data);
        let output = init.output().expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let port = free_port();
        let server = spawn(&programs, &folder, port, &flags);
        let cluster = Cluster { programs, folder, port, flags, server, watch };
        cluster.answers().await;
        cluster
    }

    pub(crate) fn url(&self) -> String {
        Self::url_by(self.address())
    }

    /// One of PostgreSQL's programs, of the same version.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Its address for who comes by another way.
    pub(crate) fn url_by(address: SocketAddr) -> String {
        format!("postgres://concord@{address}/postgres")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Other flags, from the next start.
    pub(crate) fn set_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
    }

    /// Ends every process of the server at once, as a power switch does.
    pub(crate) async fn kill(&mut self) {
        // They are in sessions of their own.
        let mut ids = children_of(self.server.id());
        ids.push(self.server.id());
        // Some may have ended by themselves meanwhile.
        let _ = Command::new("kill").arg("-9").args(ids.iter().map(u32::to_string)).output();
        self.server.wait().expect("its end");
        until("the server's processes are gone", || async {
            !ids.iter().any(|id| Path::new(&format!("/proc/{id}")).exists())
        })
        .await;
    }

    /// Ends it in order, without waiting for its clients to go.
    pub(crate) async fn stop(&mut self) {
        signal(self.server.id(), "-INT");
        let server = &mut self.server;
        until("PostgreSQL ends", async || server.try_wait().expect("its state").is_some()).await;
    }

    /// Lets none of its processes run until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.signal_all("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal_all("-CONT");
    }

    fn signal_all(&self, name: &str) {
        let mut ids = vec![self.server.id()];
        ids.extend(children_of(self.server.id()));
        // Some of its processes may have ended by themselves meanwhile.
        let _ = Command::new("kill").arg(name).args(ids.iter().map(u32::to_string)).output();
    }

    /// Starts it again on what it left behind.
    pub(crate) async fn restart(&mut self) {
        self.server = spawn(&self.programs, &self.folder, self.port, &self.flags);
        self.answers().await;
    }

    async fn answers(&self) {
        let options: PgConnectOptions = self.url().parse().expect("an address");
        until("PostgreSQL answers", async || options.connect().await.is_ok()).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        let _ = self.server.wait();
    }
}

/// Waits for the end of this process or of the cluster, then removes what is there.
fn watch(folder: &Path) -> Child {
    let script = r#"
        read -r _
        server=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
        if [ -n "$server" ] && kill -INT "$server" 2>/dev/null; then
            for _ in $(seq 100); do kill -0 "$server" 2>/dev/null || break; sleep 0.05; done
        fi
        rm -rf "$1"
    "#;
    Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell")
}

fn spawn(programs: &Path, folder: &Path, port: u16, flags: &[String]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log"));
    let log = log.expect("a log");
    let mut command = as_postgres(folder, &programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "max_connections=200"]);
    command.args(flags).stdin(Stdio::null()).process_group(0);
    command.stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("postgres runs")
}

/// The program as the account `postgres` where this is root, under which PostgreSQL does not run.
fn as_postgres(folder: &Path, program: &Path) -> Command {
    let number = |flag: &str, name: &[&str]| -> Option<u32> {
        let output = Command::new("id").arg(flag).args(name).output().expect("id runs");
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let mut command = Command::new(program);
    command.current_dir(folder);
    if number("-u", &[]) == Some(0) {
        let user = number("-u", &["postgres"]).expect("an account postgres, as PostgreSQL's own");
        let group = number("-g", &["postgres"]).expect("a group postgres");
        chown(folder, Some(user), Some(group)).expect("the folder is given away");
        command.uid(user).gid(group);
    }
    command
}

/// The folder of PostgreSQL's programs: Debian's newest, or that of the `initdb` in the PATH.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path)
        .filter_map(|folder| folder.join("initdb").canonicalize().ok()?.parent().map(Into::into));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    debian.sort_unstable();
    let is_complete = |folder: &PathBuf| folder.join("postgres").is_file();
    in_path.chain(debian.into_iter().rev()).find(is_complete).expect(MISSING)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
