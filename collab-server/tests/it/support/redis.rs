//! A real, private Redis for the tests: on a free port, keeping nothing. A small shell watches the
//! test process and ends the server when that ends, however it ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::signal;
use super::until;

const MISSING: &str = "these tests need Redis: run `cargo xtask test collab-server`, which installs \
                       it on Debian; or `sudo apt-get install redis-server`";

/// See the module.
pub(crate) struct Redis {
    port: u16,
    flags: Vec<String>,
    /// Ends when this process does, and takes the server with it. `None` while it is stopped.
    server: Option<Server>,
}

struct Server {
    watch: Child,
    id: u32,
}

impl Redis {
    /// With these further flags of `redis-server`.
    pub(crate) async fn start(flags: &[&str]) -> Redis {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut redis = Redis { port, flags, server: None };
        redis.restart().await;
        redis
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its address for who comes by another way.
    pub(crate) fn url_by(address: SocketAddr) -> String {
        format!("redis://{address}/")
    }

    /// Ends it at once.
    pub(crate) async fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        signal(server.id, "-KILL");
        drop(server.watch.stdin.take());
        server.watch.wait().expect("its end");
        let address = self.address();
        until("Redis is gone", async || TcpStream::connect(address).await.is_err()).await;
    }

    /// Lets it do nothing until [`resume`](Self::resume); connections to it stay.
    pub(crate) fn pause(&self) {
        signal(self.server.as_ref().expect("it runs").id, "-STOP");
    }

    pub(crate) fn resume(&self) {
        signal(self.server.as_ref().expect("it runs").id, "-CONT");
    }

    /// Starts it, on nothing.
    pub(crate) async fn restart(&mut self) {
        self.server = Some(spawn(self.port, &self.flags));
        let address = self.address();
        until("Redis answers", async || answers(address).await).await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.watch.stdin.take());
            let _ = server.watch.wait();
        }
    }
}

/// Asks as a person at a terminal would; with TLS nobody answers that, and listening must do.
async fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let mut answer = [0; 5];
    stream.write_all(b"PING\r\n").await.is_ok()
        && stream.read_exact(&mut answer).await.is_ok()
        && &answer == b"+PONG"
}

fn spawn(port: u16, flags: &[String]) -> Server {
    let script = r#"
        redis-server "$@" >/dev/null 2>&1 &
        echo $!
        read -r _
        kill -CONT $! 2>/dev/null
        kill -KILL $! 2>/dev/null
        wait $!
    "#;
    let own = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"];
    let mut watch = Command::new("sh")
        .args(["-c", script, "sh"])
        .args(own)
        .arg(port.to_string())
        .args(flags)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    let mut output = std::io::BufReader::new(watch.stdout.take().expect("its output"));
    std::io::BufRead::read_line(&mut output, &mut line).expect("its number");
    Server { watch, id: line.trim().parse().expect(MISSING) }
}
