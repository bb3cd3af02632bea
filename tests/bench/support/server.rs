//! A server that is measured: started, waited for, its CPU time and memory read from `/proc`, and stopped at the end.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A running server; it and its children are stopped when it goes.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

/// A port of this machine that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts it, and waits until it takes connections.
    pub fn start(command: &mut Command, port: u16) -> Self {
        use std::os::unix::process::CommandExt;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut child = command.process_group(0).spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none() && Instant::now() < patience, "{command:?} does not serve");
            std::thread::sleep(Duration::from_millis(2));
        }
        Self { child, address }
    }

    /// CPU seconds that it and its children have used.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.members())
    }

    /// The memory that it and its children hold now, in MiB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most memory that it and its children ever held, in MiB.
    pub fn peak_memory(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> f64 {
        let kib = |pid: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status.lines().find(|line| line.starts_with(field))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        self.members().iter().filter_map(kib).sum::<f64>() / 1024.0
    }

    /// It and its children: the processes of its group.
    fn members(&self) -> Vec<u32> {
        let group = self.child.id();
        let pids =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| field(*pid, 2) == Some(u64::from(group))).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        Command::new("kill").args(["-TERM", "--", &format!("-{}", self.child.id())]).status().ok();
        self.child.wait().ok();
    }
}

/// CPU seconds that these processes have used.
pub fn cpu_seconds(pids: &[u32]) -> f64 {
    // USER_HZ is 100 on every Linux.
    pids.iter().filter_map(|pid| ticks(*pid)).sum::<u64>() as f64 / 100.0
}

/// CPU seconds of those children of the process's parent that have ended and were waited for.
pub fn siblings_ended(pid: u32) -> f64 {
    let ended = |parent: u32| Some(field(parent, 13)? + field(parent, 14)?);
    let parent = field(pid, 1).and_then(|parent| u32::try_from(parent).ok());
    parent.and_then(ended).unwrap_or_default() as f64 / 100.0
}

fn ticks(pid: u32) -> Option<u64> {
    Some(field(pid, 11)? + field(pid, 12)?)
}

/// A field of `/proc/PID/stat`, counted from the state, which comes after the name in parentheses.
fn field(pid: u32, index: usize) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(index)?.parse().ok()
}
