//! Nodes under load, and what their clients were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Folder, free_port, signal};
use crate::sink::Sink;

const PASSWORD: &str = "en gul cykel i regnvejr";
/// The number of the next body that is written: no name comes twice.
static NEXT: AtomicUsize = AtomicUsize::new(0);
/// How many suppliers are told of a dialogue.
pub const AUDIENCE: usize = 300;

/// One `skala` process.
pub struct Node {
    pub address: String,
    command: Vec<String>,
    settings: Vec<(String, String)>,
    folder: PathBuf,
    clock: Option<PathBuf>,
    child: Mutex<Child>,
}

impl Node {
    /// Sets the clock of a node that has one of its own: this many seconds before or behind the machine's.
    pub fn set_clock(&self, seconds: i64) {
        let clock = self.clock.as_ref().expect("a clock of its own");
        // Renamed into place: whoever looks in between sees either time.
        let new = clock.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}")).unwrap();
        std::fs::rename(new, clock).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().ok();
        child.wait().unwrap();
    }

    /// Kills it, if it is not dead yet, and starts it anew at the same address.
    pub fn kill_and_start(&self) {
        self.kill();
        *self.child.lock().unwrap() = spawn(&self.command, &self.settings, &self.folder);
    }

    pub fn is_ready(&self) -> bool {
        ask(&self.address, "/readyz", None, Duration::from_secs(5)).is_some_and(|(status, _)| status == 200)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        signal("CONT", &[self.pid()]);
        let mut child = self.child.lock().unwrap();
        child.kill().ok();
        child.wait().ok();
    }
}

fn program(settings: &[(String, String)], folder: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SKALA_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).envs(settings.iter().cloned());
    command
}

fn spawn(arguments: &[String], settings: &[(String, String)], folder: &PathBuf) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("skala.log")).unwrap();
    let mut command = program(settings, folder);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn agent(limit: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    config.timeout_global(Some(limit)).build().new_agent()
}

fn ask(address: &str, path: &str, token: Option<&str>, limit: Duration) -> Option<(u16, Value)> {
    let mut request = agent(limit).get(format!("http://{address}{path}"));
    if let Some(token) = token {
        request = request.header("Authorization", token);
    }
    let mut answer = request.call().ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
}

/// Several nodes on one database, with an admin and a mail server.
pub struct World {
    pub serving: Vec<Node>,
    pub working: Vec<Node>,
    pub sink: Sink,
    settings: Vec<(String, String)>,
    /// A library that gives every node a clock of its own.
    clocks: Option<PathBuf>,
    token: Mutex<String>,
    pub folder: Folder,
}

impl World {
    /// `urls` are how each serving node reaches the database; workers use the first.
    pub fn new(name: &str, urls: &[String], workers: usize) -> Self {
        Self::with(name, urls, workers, &[], None)
    }

    /// … with further settings, or with clocks that can be set.
    pub fn with(name: &str, urls: &[String], workers: usize, more: &[(&str, String)], clocks: Option<PathBuf>) -> Self {
        let (folder, sink) = (Folder::new(&format!("{name}-nodes")), Sink::start());
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let mut settings = vec![
            pair("SKALA_SMTP_URL", format!("smtp://127.0.0.1:{}?timeout=20", sink.port)),
            pair("SKALA_SECRET", "a secret of the suite, long enough for it".to_owned()),
            pair("SKALA_RATE_LIMIT", "off".to_owned()),
            pair("SKALA_MAIL_LEASE", "10".to_owned()),
            pair("SKALA_DRAIN", "0".to_owned()),
            pair("SKALA_LOG", "warn".to_owned()),
        ];
        settings.extend(more.iter().map(|(name, value)| pair(name, value.clone())));
        let mut world =
            Self { serving: vec![], working: vec![], sink, settings, clocks, token: Mutex::default(), folder };
        let add = ["user", "add", "--email", "admin@co-pi.example", "--role", "admin", "--password-stdin"];
        world.run(&urls[0], &add, &format!("{PASSWORD}\n"));
        for url in urls {
            let address = format!("127.0.0.1:{}", free_port());
            let node = world.node(&["serve"], url, &address);
            world.serving.push(node);
        }
        for _ in 0..workers {
            let node = world.node(&["worker"], &urls[0], "127.0.0.1:0");
            world.working.push(node);
        }
        world.wait_until_ready(Duration::from_secs(60));
        world.sign_in(0, &world.bearer());
        world
    }

    /// Signs the admin in at this node, unless somebody else has since this token was good.
    pub fn sign_in(&self, node: usize, old: &str) {
        let mut token = self.token.lock().unwrap();
        if format!("Bearer {token}") != old {
            return;
        }
        let body = json!({"email": "admin@co-pi.example", "password": PASSWORD});
        let url = format!("http://{}/api/v1/auth/token", self.serving[node].address);
        let mut answer =
            agent(Duration::from_secs(40)).post(url).content_type("application/json").send(body.to_string()).unwrap();
        let told: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        let access = told["access_token"].as_str().unwrap_or_else(|| panic!("no sign-in: {told}"));
        access.clone_into(&mut token);
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token.lock().unwrap())
    }

    fn node(&self, command: &[&str], url: &str, address: &str) -> Node {
        let mut settings = self.settings.clone();
        settings.push(("SKALA_DATABASE_URL".to_owned(), url.to_owned()));
        settings.push(("SKALA_LISTEN".to_owned(), address.to_owned()));
        settings.push(("SKALA_WORKER".to_owned(), "off".to_owned()));
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        let clock = self.clocks.as_ref().map(|library| {
            let clock = self.folder.0.join(format!("clock-{}", self.serving.len() + self.working.len()));
            std::fs::write(&clock, "+0").unwrap();
            let pairs = [
                ("LD_PRELOAD", library.display().to_string()),
                ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
                ("FAKETIME_NO_CACHE", "1".to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ];
            settings.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
            clock
        });
        let child = Mutex::new(spawn(&command, &settings, &self.folder.0));
        Node { address: address.to_owned(), command, settings, folder: self.folder.0.clone(), clock, child }
    }

    /// Runs a command to its end.
    pub fn run(&self, url: &str, arguments: &[&str], input: &str) -> bool {
        let mut settings = self.settings.clone();
        settings.push(("SKALA_DATABASE_URL".to_owned(), url.to_owned()));
        let mut command = program(&settings, &self.folder.0);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait().unwrap().success()
    }

    /// How long it took until every serving node was ready.
    pub fn wait_until_ready(&self, limit: Duration) -> Duration {
        let begun = Instant::now();
        while !self.serving.iter().all(Node::is_ready) {
            assert!(begun.elapsed() < limit, "a node is not ready; its log: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        begun.elapsed()
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.0.join("skala.log")).unwrap_or_default();
        log.lines().rev().take(8).collect::<Vec<_>>().join("\n")
    }

    /// The answer to a signed-in question; none when there is none.
    pub fn ask(&self, node: usize, path: &str) -> Option<(u16, Value)> {
        ask(&self.serving[node].address, path, Some(&self.bearer()), Duration::from_secs(40))
    }

    pub fn post(&self, node: usize, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://{}/api/v1{path}", self.serving[node].address);
        let request = agent(Duration::from_secs(40)).post(url).content_type("application/json");
        let request = request.header("Authorization", self.bearer());
        let mut answer = request.send(body.to_string()).expect("an answer");
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    /// Publishes a dialogue that everybody in the audience wants to hear of; returns the dispatch.
    pub fn publish(&self, url: &str) {
        let header = "email,language,frequency,cpv,nuts,themes,consent_text,consent_at,consent_source\n";
        let line =
            |n| format!("firma{n}@marked{}.example,da,immediate,33000000,,,Ja tak,2026-01-01T10:00:00Z,messe\n", n % 7);
        let list: String = std::iter::once(header.to_owned()).chain((0..AUDIENCE).map(line)).collect();
        let file = self.folder.0.join("liste.csv");
        std::fs::write(&file, list).unwrap();
        assert!(self.run(url, &["import", "subscriptions", file.to_str().unwrap()], ""), "the list of suppliers");
        let (status, process) = self.post(0, "/processes", &json!({"title": "Ro om natten", "summary": "Sammen."}));
        assert_eq!(status, 201, "{process}");
        let process = format!("/processes/{}", process["id"].as_str().unwrap());
        let opened = format!("http://{}/api/v1{process}", self.serving[0].address);
        let patch =
            agent(Duration::from_secs(40)).patch(opened).content_type("application/json").header("If-Match", "*");
        let patch = patch.header("Authorization", self.bearer());
        assert_eq!(patch.send(json!({"status": "active"}).to_string()).unwrap().status().as_u16(), 200);
        let notice = json!({
            "title": "Løsninger til natten", "description": "Hvad kan markedet?", "nature": "supplies",
            "cpv": ["33195100-4"], "nuts": ["DK031"], "languages": ["da"], "questions": ["Hvad kan I?"],
            "answer_deadline": "2035-01-29T11:00:00Z", "events": [],
            "contact": {"name": "Karen Friis", "email": "karen@co-pi.example"},
        });
        let (status, dialogue) = self.post(0, &format!("{process}/dialogues"), &notice);
        assert_eq!(status, 201, "{dialogue}");
        let publish = format!("/dialogues/{}/publish", dialogue["id"].as_str().unwrap());
        assert_eq!(self.post(0, &publish, &Value::Null).0, 200);
    }

    /// Waits until everybody in the audience has a letter; returns how many letters went twice.
    pub fn wait_until_told(&self, limit: Duration) -> (usize, usize) {
        let begun = Instant::now();
        while self.sink.count().0 < AUDIENCE && begun.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(100));
        }
        // Whoever would go twice had time to.
        std::thread::sleep(Duration::from_secs(2));
        self.sink.count()
    }

    /// Whether the ledger proves itself.
    pub fn ledger_is_whole(&self, url: &str) -> bool {
        self.run(url, &["ledger", "verify"], "")
    }

    /// Writes without pause through the serving nodes in turn while `fault` is at work, and then holds what clients were
    /// told against what is there.
    pub fn under_load(&self, writers: usize, fault: impl FnOnce(&World)) -> Told {
        let told = Arc::new(Mutex::new(Told::default()));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..writers {
                let (told, over) = (&told, &over);
                scope.spawn(move || {
                    let agent = agent(Duration::from_secs(40));
                    while !over.load(Ordering::Relaxed) {
                        let n = NEXT.fetch_add(1, Ordering::Relaxed);
                        let name = format!("Kommune {n}");
                        let address = &self.serving[n % self.serving.len()].address;
                        let post = agent.post(format!("http://{address}/api/v1/organisations"));
                        let bearer = self.bearer();
                        let post = post.header("Authorization", &bearer);
                        let post = post.content_type("application/json");
                        let begun = Instant::now();
                        let sent = post.send(json!({"name": name, "kind": "municipality"}).to_string());
                        let answer = sent.ok().map(|mut answer| {
                            let retry = answer.headers().contains_key("retry-after");
                            let body = answer.body_mut().read_to_string().unwrap_or_default();
                            let body: Value = serde_json::from_str(&body).unwrap_or_default();
                            (answer.status().as_u16(), retry, body["code"].as_str().unwrap_or_default().to_owned())
                        });
                        let failed = answer.as_ref().is_none_or(|(status, ..)| *status != 201);
                        let unknown = answer.as_ref().is_some_and(|(status, ..)| *status == 401);
                        told.lock().unwrap().enter(name, answer, begun);
                        if unknown {
                            self.sign_in(n % self.serving.len(), &bearer);
                        } else if failed {
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_secs(1));
            fault(self);
            // Until writes succeed again, or nobody can believe any more that they will.
            let mended = Instant::now();
            let written = || told.lock().unwrap().successes.iter().any(|moment| *moment > mended);
            while !written() && mended.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            told.lock().unwrap().recovery = mended.elapsed();
            std::thread::sleep(Duration::from_secs(1));
            over.store(true, Ordering::Relaxed);
        });
        self.wait_until_ready(Duration::from_secs(60));
        let mut told = std::mem::take(&mut *told.lock().unwrap());
        told.kept = self.names();
        told
    }

    fn names(&self) -> BTreeSet<String> {
        let (mut names, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let path = format!("/api/v1/organisations?limit=200&cursor={cursor}");
            let (_, page) = self.ask(0, &path).unwrap();
            names.extend(page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return names,
            }
        }
    }

    /// The statuses of a read and a write at this moment.
    pub fn try_both(&self) -> (u16, u16) {
        let read = self.ask(0, "/api/v1/organisations");
        let body = json!({"name": format!("Prøve {:?}", Instant::now()), "kind": "municipality"});
        (read.map_or(0, |(status, _)| status), self.post(0, "/organisations", &body).0)
    }
}

/// What clients were told of their writes, and what was there afterwards.
#[derive(Default)]
pub struct Told {
    acknowledged: BTreeSet<String>,
    /// Told that nothing was stored.
    refused: BTreeSet<String>,
    /// Told that it is not known, or nothing at all.
    unknown: BTreeSet<String>,
    codes: BTreeMap<String, usize>,
    without_retry_after: usize,
    slowest: Duration,
    successes: Vec<Instant>,
    /// How long after the fault the first write succeeded.
    recovery: Duration,
    kept: BTreeSet<String>,
}

impl Told {
    fn enter(&mut self, name: String, answer: Option<(u16, bool, String)>, begun: Instant) {
        self.slowest = self.slowest.max(begun.elapsed());
        let (status, retry, code) = answer.unwrap_or((0, true, "no answer".to_owned()));
        match (status, code.as_str()) {
            (201, _) => {
                self.successes.push(Instant::now());
                self.acknowledged.insert(name);
                return;
            }
            (503, "unavailable") => drop(self.refused.insert(name)),
            // An access token that the clock made old: nothing was done.
            (401, _) => {
                self.refused.insert(name);
                return;
            }
            _ => drop(self.unknown.insert(name)),
        }
        self.without_retry_after += usize::from(!retry);
        *self.codes.entry(format!("{status} {code}")).or_default() += 1;
    }

    /// The longest time without a single success.
    pub fn gap(&self) -> Duration {
        let mut times = self.successes.clone();
        times.sort();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// What held and what did not, in words; the first that did not is the error.
    pub fn verdict(&self, limit: Duration) -> Result<String, String> {
        let lost: Vec<_> = self.acknowledged.difference(&self.kept).collect();
        let false_refusals: Vec<_> = self.refused.intersection(&self.kept).collect();
        if !lost.is_empty() {
            return Err(format!("{} acknowledged writes are lost: {lost:?}", lost.len()));
        }
        if !false_refusals.is_empty() {
            return Err(format!("told that nothing was stored, though it was: {false_refusals:?}"));
        }
        if self.without_retry_after > 0 {
            return Err(format!("{} refusals without Retry-After: {:?}", self.without_retry_after, self.codes));
        }
        if let Some(code) = self.codes.keys().find(|code| code.starts_with('5') && !code.starts_with("503")) {
            return Err(format!("an answer {code}: {:?}", self.codes));
        }
        if self.recovery > Duration::from_secs(10) {
            return Err(format!("no write succeeded for {:.1?} after the end of it", self.recovery));
        }
        if self.slowest > limit {
            return Err(format!("an answer took {:.1?}", self.slowest));
        }
        let (good, refused, unknown) = (self.acknowledged.len(), self.refused.len(), self.unknown.len());
        Ok(format!(
            "{good} acknowledged, all there; {refused} refused, none of them there; {unknown} unanswered or unsettled; \
             longest gap {:.1?}, slowest answer {:.1?}, first write {:.1?} after the end of it",
            self.gap(),
            self.slowest,
            self.recovery
        ))
    }
}
