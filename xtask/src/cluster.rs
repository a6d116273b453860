//! `cargo xtask cluster`: PostgreSQL, Redis, several servers and nginx at one address, as plain processes. What
//! `deploy/compose.yaml` starts in containers, for trying and for looking at.
//!
//! A server that ends is started again, as an orchestrator does: `kill -TERM` one and watch people go on at another.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::databases::{self, Folder};
use crate::process::Process;
use crate::step::step;
use crate::{interrupt, nginx, port, server, web};

/// How often the processes are looked at.
const POLL: Duration = Duration::from_millis(50);

/// Builds, starts everything, and returns when it is interrupted. `more` goes to each server.
pub(crate) fn cluster(port: u16, count: u16, more: &[String]) -> Result<()> {
    web::build()?;
    let program = server::build()?;
    let address = server::address(port);
    if port::is_taken(address) {
        bail!(
            "something else listens on {address}; to take another port: cargo xtask cluster --port {}",
            port + 1
        );
    }
    nginx::program()?;
    let postgres =
        step("start a private PostgreSQL", || Ok((databases::postgres()?, String::new())))?;
    let redis = step("start a private Redis", || Ok((databases::redis()?, String::new())))?;
    let folder = Folder::new("cluster")?;
    let flags = flags(port, postgres.url(), redis.url(), more);
    let mut members = Vec::new();
    for number in 1..=count {
        let log = folder.path().join(format!("server-{number}.log"));
        let member = Member {
            program: program.clone(),
            address: server::address(port::free()?),
            flags: flags.clone(),
            log,
            process: None,
        };
        members.push(member.started(number)?);
    }
    let addresses: Vec<SocketAddr> = members.iter().map(|member| member.address).collect();
    let mut proxy = nginx::start(address, &addresses, folder.path())?;
    server::wait_until_ready(&mut proxy, address)?;
    tell(port, &members, &postgres, &redis, folder.path());
    watch(&mut members, &mut proxy)
}

/// The flags of every server.
fn flags(port: u16, postgres: &str, redis: &str, more: &[String]) -> Vec<String> {
    let public = format!("http://localhost:{port}");
    let mut flags = vec!["--database", postgres, "--public-url", &public];
    flags.extend(["--trusted-proxies", "127.0.0.1", "--forwarded-header", "x-forwarded-for"]);
    flags.extend(["--redis-url", redis]);
    flags.into_iter().map(str::to_owned).chain(more.iter().cloned()).collect()
}

/// One of the servers.
struct Member {
    program: PathBuf,
    address: SocketAddr,
    flags: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
}

impl Member {
    fn started(mut self, number: u16) -> Result<Self> {
        step(&format!("start server {number}"), || {
            let mut process = self.start()?;
            server::wait_until_ready(&mut process, self.address)
                .with_context(|| format!("its log: {}", self.log.display()))?;
            self.process = Some(process);
            Ok(((), String::new()))
        })?;
        Ok(self)
    }

    fn start(&self) -> Result<Process> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = server::command(&self.program, self.address, &self.flags);
        Process::start(command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log)))
    }

    fn id(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::id)
    }

    /// Starts it again if it has ended.
    fn revive(&mut self, number: usize) -> Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        let Some(status) = process.ended()? else { return Ok(()) };
        self.process = Some(self.start()?);
        eprintln!("  server {number} ended ({status}) and is started again: process {}", self.id());
        Ok(())
    }
}

/// Keeps everything running until it is interrupted.
fn watch(members: &mut [Member], proxy: &mut Process) -> Result<()> {
    while !interrupt::raised() {
        for (index, member) in members.iter_mut().enumerate() {
            member.revive(index + 1)?;
        }
        if let Some(status) = proxy.ended()? {
            bail!("nginx ended: {status}");
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn tell(
    port: u16,
    members: &[Member],
    postgres: &databases::Server,
    redis: &databases::Server,
    folder: &Path,
) {
    eprintln!(
        "\n  Concord runs at  http://localhost:{port}  (nginx, by deploy/nginx/nginx.conf.template)"
    );
    for (index, member) in members.iter().enumerate() {
        let (address, id) = (member.address, member.id());
        eprintln!("    server {}     http://{address}/metrics  process {id}", index + 1);
    }
    eprintln!("    PostgreSQL   {}", postgres.url());
    eprintln!("    Redis        {}", redis.url());
    eprintln!("    logs         {}", folder.display());
    eprintln!(
        "  Type in two windows, and restart a server under them: kill -TERM {}",
        members.first().map_or(0, Member::id)
    );
    eprintln!("  Ctrl-C stops everything; the documents go with it.\n");
}
