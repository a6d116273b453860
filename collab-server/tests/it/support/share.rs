//! A share of the processor for a process: a Linux control group of its own, with a quota.
//!
//! Both versions of control groups do, version 1 with its controller `cpu` and version 2. Either
//! needs the right to make groups, which root has.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process is held to a part of one core's time for as long as this lives.
pub(crate) struct Share {
    /// The group that is the process' own.
    folder: PathBuf,
    /// The group in which it was.
    before: PathBuf,
    id: u32,
}

/// How much time a process gets, and of how much.
#[derive(Clone, Copy)]
pub(crate) struct Quota {
    /// A millisecond at least, which is the least that Linux takes.
    pub(crate) time: Duration,
    pub(crate) period: Duration,
}

impl Quota {
    /// In cores.
    pub(crate) fn cores(self) -> f64 {
        self.time.as_secs_f64() / self.period.as_secs_f64()
    }

    /// Makes it the quota of a group.
    fn write(self, folder: &Path) -> io::Result<()> {
        let [time, period] = [self.time, self.period].map(|time| time.as_micros());
        if folder.join("cpu.max").exists() {
            return std::fs::write(folder.join("cpu.max"), format!("{time} {period}"));
        }
        // A quota may not be more than the period allows, so that comes first.
        std::fs::write(folder.join("cpu.cfs_period_us"), period.to_string())?;
        std::fs::write(folder.join("cpu.cfs_quota_us"), time.to_string())
    }
}

impl Share {
    /// Holds the process to `quota` from now on; `None` where this process may not say so.
    pub(crate) fn hold(id: u32, quota: Quota) -> Option<Share> {
        groups().into_iter().find_map(|(mount, before)| {
            // In version 2 a group with processes has no groups with quotas below it, so that a
            // quota is found further up.
            before.ancestors().take_while(|above| above.starts_with(mount)).find_map(|above| {
                let folder = above.join(format!("concord-share-{id}"));
                std::fs::create_dir(&folder).ok()?;
                let share = Share { folder, before: before.clone(), id };
                quota.write(&share.folder).ok()?;
                std::fs::write(share.folder.join("cgroup.procs"), id.to_string()).ok()?;
                Some(share)
            })
        })
    }

    /// Whether the process is held still.
    pub(crate) fn holds(&self) -> bool {
        let held = std::fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        held.lines().any(|line| line.parse() == Ok(self.id))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // Only an empty group can be removed; a process that has ended is in none.
        let _ = std::fs::write(self.before.join("cgroup.procs"), self.id.to_string());
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// The groups that this process, and whatever it starts, may be held in, each below where its
/// version is mounted.
fn groups() -> Vec<(&'static Path, PathBuf)> {
    let lines = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let mount = match controllers {
            "" => "/sys/fs/cgroup",
            _ if controllers.split(',').any(|name| name == "cpu") => "/sys/fs/cgroup/cpu",
            _ => return None,
        };
        Some((Path::new(mount), Path::new(mount).join(path.trim_start_matches('/'))))
    };
    let is_there = |mount: &Path| mount.join("cgroup.procs").exists();
    lines.lines().filter_map(group).filter(|(mount, _)| is_there(mount)).collect()
}

#[test]
fn a_process_is_held_to_its_share_until_that_ends() {
    let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().expect("it starts");
    let id = sleeper.id();
    let group_of = || std::fs::read_to_string(format!("/proc/{id}/cgroup")).expect("Linux says");
    let before = group_of();
    let quota = Quota { time: Duration::from_millis(1), period: Duration::from_millis(10) };
    match Share::hold(id, quota) {
        None => println!("control groups cannot be written here"),
        Some(share) => {
            assert!(share.holds());
            assert!(group_of().contains(&format!("concord-share-{id}")));
            let folder = share.folder.clone();
            drop(share);
            assert!(!folder.exists(), "the group is gone");
        }
    }
    assert_eq!(group_of(), before);
    sleeper.kill().expect("it runs");
    sleeper.wait().expect("it ended");
}
