//! A PostgreSQL server of the suite's own, on a port of its own, in a folder that goes with it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// A folder below the system's, gone when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("skala-faults-{}-{name}", std::process::id()));
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends a signal to processes, by their numbers.
pub fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    Command::new("kill").arg(format!("-{name}")).args(pids).stderr(Stdio::null()).status().unwrap();
}

/// A process and all that it started.
pub fn family(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let parent = |entry: &fs::DirEntry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let mut next = 0;
    while let Some(one) = found.get(next).copied() {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            if let (Some(pid), Some(of)) = (entry.file_name().to_str().and_then(|n| n.parse().ok()), parent(&entry))
                && of == one
            {
                found.push(pid);
            }
        }
        next += 1;
    }
    found
}

fn binaries() -> PathBuf {
    let mut versions: Vec<_> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort();
    let packaged = versions.pop().map(|version| version.join("bin"));
    packaged.filter(|bin| bin.join("postgres").exists()).unwrap_or_else(|| {
        let told =
            Command::new("pg_config").arg("--bindir").output().expect("PostgreSQL's programs (initdb, postgres)");
        PathBuf::from(String::from_utf8(told.stdout).unwrap().trim())
    })
}

/// PostgreSQL will not run as root: then it runs as the user `postgres`.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let told = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(told.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) == Some(0) { Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)) } else { None }
}

fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(binaries().join(name));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(fs::File::options().create(true).append(true).open(folder.join("log")).unwrap());
    if let Some((uid, gid)) = user() {
        command.uid(uid).gid(gid);
    }
    command
}

pub struct Cluster {
    pub port: u16,
    folder: PathBuf,
    child: Option<Child>,
    _folder: Option<Folder>,
}

impl Cluster {
    /// A new server; `settings` are lines of its configuration.
    pub fn start(name: &str, settings: &str) -> Self {
        let folder = Folder::new(name);
        let path = folder.0.clone();
        Self::start_in(path, Some(folder), settings)
    }

    /// … in a folder that somebody else looks after.
    pub fn start_in(path: PathBuf, folder: Option<Folder>, settings: &str) -> Self {
        own(&path);
        let init = ["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--wal-segsize=1"];
        assert!(program("initdb", &path).args(init).status().unwrap().success(), "initdb");
        let mut cluster = Self { port: free_port(), folder: path, child: None, _folder: folder };
        cluster.set(&format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nmax_connections = 60\n\
             shared_buffers = 16MB\nlog_min_messages = warning\n{settings}\n",
            cluster.port
        ));
        cluster.run();
        cluster
    }

    /// A standby of this server, which streams from it under this name.
    pub fn standby(&self, name: &str) -> Self {
        let folder = Folder::new(name);
        own(&folder.0);
        let from = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        let copied = program("pg_basebackup", &folder.0).args(["-D", "data", "-R", "-c", "fast", "-d", &from]).status();
        assert!(copied.unwrap().success(), "pg_basebackup");
        let mut standby = Self { port: free_port(), folder: folder.0.clone(), child: None, _folder: Some(folder) };
        standby.set(&format!("port = {}\nsynchronous_standby_names = ''\n", standby.port));
        standby.run();
        standby
    }

    fn set(&self, lines: &str) {
        use std::io::Write;
        let file = fs::File::options().append(true).open(self.folder.join("data/postgresql.conf"));
        file.unwrap().write_all(lines.as_bytes()).unwrap();
    }

    pub fn run(&mut self) {
        self.child = Some(program("postgres", &self.folder).args(["-D", "data"]).spawn().unwrap());
        let begun = Instant::now();
        while PgConnection::establish(&self.url("postgres")).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start; see {:?}", self.folder);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// As when its machine goes: every process at once.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        signal("KILL", &family(child.id()));
        child.wait().unwrap();
    }

    pub fn promote(&self) {
        self.connect("postgres").batch_execute("SELECT pg_promote()").unwrap();
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub fn connect(&self, database: &str) -> PgConnection {
        PgConnection::establish(&self.url(database)).unwrap()
    }

    /// An empty database of this name.
    pub fn create(&self, database: &str) {
        self.connect("postgres").batch_execute(&format!("CREATE DATABASE {database}")).unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

fn own(path: &Path) {
    fs::File::create(path.join("log")).unwrap();
    if let Some((uid, gid)) = user() {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        std::os::unix::fs::chown(path.join("log"), Some(uid), Some(gid)).unwrap();
    }
}
