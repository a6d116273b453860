//! Ports for things that run beside each other on one machine.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long one question to a server on this machine may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A port of the loopback interface that nobody listens on at this moment.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// Sends bytes to a server on this machine and returns the first part of what it answers.
pub(crate) fn ask(address: SocketAddr, question: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT).ok()?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).ok()?;
    stream.write_all(question.as_bytes()).ok()?;
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

/// Whether a page of a server on this machine answers 200.
pub(crate) fn serves(address: SocketAddr, path: &str) -> bool {
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    ask(address, &question).is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Whether somebody listens at an address of this machine.
pub(crate) fn is_taken(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, ANSWER_LIMIT).is_ok()
}
