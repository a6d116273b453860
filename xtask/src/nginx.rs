//! nginx in front of several servers, by the template that `deploy/` has too: a child of ours, with a folder of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::Process;
use crate::{install, paths};

/// The one configuration for all that runs behind nginx.
const TEMPLATE: &str = "deploy/nginx/nginx.conf.template";

/// Where it lies beside the PATH of people who are not root.
pub(crate) const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Finds nginx, or installs it.
pub(crate) fn program() -> Result<PathBuf> {
    install::need("nginx", &FOLDERS, "nginx-light")
}

/// Starts nginx on `listen` in front of `servers`; `folder` holds what it writes.
pub(crate) fn start(listen: SocketAddr, servers: &[SocketAddr], folder: &Path) -> Result<Process> {
    let file = write(listen, servers, folder)?;
    let mut command = Command::new(program()?);
    command.arg("-p").arg(folder).arg("-c").arg(&file);
    Process::start(command.args(["-g", "daemon off; error_log stderr warn;"]))
}

/// Writes the configuration into `folder`; its file.
pub(crate) fn write(listen: SocketAddr, servers: &[SocketAddr], folder: &Path) -> Result<PathBuf> {
    let template = fs::read_to_string(paths::at(TEMPLATE)).context(TEMPLATE)?;
    let file = folder.join("nginx.conf");
    fs::write(&file, complete(&template, listen, servers, folder)?)?;
    Ok(file)
}

/// Fills the template in as the nginx image does from its environment.
fn complete(
    template: &str,
    listen: SocketAddr,
    servers: &[SocketAddr],
    folder: &Path,
) -> Result<String> {
    let servers: Vec<String> =
        servers.iter().map(|server| format!("server {server} max_fails=0;")).collect();
    let values = [
        ("PROXY_LISTEN", listen.to_string()),
        ("PROXY_SERVERS", servers.join(" ")),
        ("PROXY_TEMP", folder.display().to_string()),
    ];
    let complete = values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value)
    });
    match complete.find("${") {
        Some(at) => bail!("{TEMPLATE} wants something unknown: {}", line_at(&complete, at)),
        None => Ok(complete),
    }
}

fn line_at(text: &str, at: usize) -> &str {
    text[at..].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_wants_nothing_that_it_is_not_given() {
        let template = fs::read_to_string(paths::at(TEMPLATE)).unwrap();
        let [listen, server] = [8080, 9001].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let complete = complete(&template, listen, &[server], Path::new("/tmp/x")).unwrap();
        assert!(complete.contains("listen 127.0.0.1:8080;"));
        assert!(complete.contains("server 127.0.0.1:9001 max_fails=0;"));
        assert!(complete.contains("pid /tmp/x/nginx.pid;"));
        assert!(super::complete("${OTHER}", listen, &[], Path::new("/")).is_err());
    }
}
