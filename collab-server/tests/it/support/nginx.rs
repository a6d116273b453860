//! nginx in front of several servers, by the template of `deploy/`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::http::Request;
use super::until;

const MISSING: &str = "these tests need nginx: run `cargo xtask test rolling`, which installs it on \
                       Debian; or `sudo apt-get install nginx-light`";

/// A running nginx, which ends with this value.
pub(crate) struct Nginx {
    address: SocketAddr,
    /// It ends before its folder goes.
    _child: Child,
    _folder: TempDir,
}

/// A port of the loopback interface that nobody listens on at this moment.
pub(crate) fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("nginx")).find(|file| file.is_file()).expect(MISSING)
}

impl Nginx {
    /// Stands in front of these servers.
    pub(crate) async fn start(servers: &[SocketAddr]) -> Nginx {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free();
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, complete(address, servers, folder.path())).expect("written");
        let mut command = Command::new(program());
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        // One process: there is nobody to end its children when it is killed.
        command.args(["-g", "daemon off; master_process off; error_log stderr error;"]);
        let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn().expect("nginx starts");
        until("nginx answers", async || {
            let asked = Request::get("/health/ready").try_send(address).await;
            asked.is_some_and(|answer| answer.status == 200)
        })
        .await;
        Nginx { address, _child: child, _folder: folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn complete(listen: SocketAddr, servers: &[SocketAddr], folder: &Path) -> String {
    let template = include_str!("../../../../deploy/nginx/nginx.conf.template");
    let servers: Vec<String> =
        servers.iter().map(|server| format!("server {server} max_fails=0;")).collect();
    template
        .replace("${PROXY_LISTEN}", &listen.to_string())
        .replace("${PROXY_SERVERS}", &servers.join(" "))
        .replace("${PROXY_TEMP}", &folder.display().to_string())
}
