//! What `deploy/` holds, as the programs read it that it is for: part of `cargo xtask lint`. Whether it fits the server
//! is tested beside the server, in `collab-server/tests/it/deploy.rs`, which needs none of them.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::Result;

use crate::databases::Folder;
use crate::step::{self, step};
use crate::{install, nginx, paths};

/// The unit, and the program that it starts.
const UNIT: &str = "deploy/systemd/concord.service";
const PROGRAM: &str = "/usr/local/bin/collab-server";

/// The most that systemd's own mark of a unit's exposure may be, in tenths: below 20 is what it calls OK.
const EXPOSURE_MAX: &str = "20";

/// Has nginx and systemd read what is for them, where they are.
pub(crate) fn check() -> Result<()> {
    step("deploy/, as nginx and systemd read it", || {
        let folder = Folder::new("deploy")?;
        let mut missing = Vec::new();
        match install::find("nginx", &nginx::FOLDERS) {
            Some(program) => {
                let any = SocketAddr::from(([127, 0, 0, 1], 8080));
                let file = nginx::write(any, &[any], folder.path())?;
                let mut command = Command::new(program);
                command.arg("-t").arg("-p").arg(folder.path()).arg("-c").arg(file);
                step::quiet(command.args(["-g", "error_log stderr;"]))?;
            }
            None => missing.push("nginx"),
        }
        match install::find("systemd-analyze", &[]) {
            Some(program) => {
                // The program need not be installed to be looked at.
                let unit = fs::read_to_string(paths::at(UNIT))?.replace(PROGRAM, "/bin/true");
                let file = folder.path().join("concord.service");
                fs::write(&file, unit)?;
                step::quiet(Command::new(&program).arg("verify").arg(&file))?;
                let threshold = format!("--threshold={EXPOSURE_MAX}");
                let mut security = Command::new(program);
                step::quiet(security.args(["security", "--offline=true", &threshold]).arg(&file))?;
            }
            None => missing.push("systemd-analyze"),
        }
        let remark = if missing.is_empty() {
            String::new()
        } else {
            format!("without {}", missing.join(", "))
        };
        Ok(((), remark))
    })
}
