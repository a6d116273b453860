//! `health`: asks the server of these settings whether it is ready, for containers without a shell.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Command;

use crate::config::Config;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn command() -> Command {
    Command::new("health").about("Ask the server of these settings whether it is ready").long_about(
        "Ask the server of these settings, on this machine, whether it is ready: exit code 0 if it \
         is. Of a server that speaks https only, it is asked whether it answers at all.",
    )
}

/// Asks, says what came of it on standard error where it is not well, and makes an exit code of it.
#[must_use]
pub fn health(config: &Config) -> ExitCode {
    match ask(here(config.listen)) {
        Ok(answer) if is_well(&answer, config.tls_cert.is_some()) => ExitCode::SUCCESS,
        Ok(answer) => {
            let line = answer.lines().next().unwrap_or("nothing");
            eprintln!("collab-server: not ready: {line}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("collab-server: {} does not answer: {error}", config.listen);
            ExitCode::FAILURE
        }
    }
}

/// Who listens everywhere listens here.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request =
        format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // The status is in the first bytes; whatever may answer there, no more is read.
    stream.take(1 << 10).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn is_well(answer: &str, speaks_https: bool) -> bool {
    answer.starts_with("HTTP/1.1 200 ") || speaks_https && answer.starts_with("HTTP/1.1 400 ")
}
