//! The worker: finds recipients, posts letters, tidies up; and the loop that keeps it going.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::letters::{self, News};
use super::{Status, audience, ledger, periodic, store};
use crate::config::Settings;
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::dialogue::{self, Version, difference};
use crate::kernel::{Id, Instant};
use crate::mail::{Letter, Postman, PostmanError};
use crate::post::store::{Content, Held, Told};
use crate::post::{self, MAX_IN_FLIGHT, Outcome};
use crate::process;
use crate::subscription::{self, Subscription, Why};
use crate::web::Node;

/// How many letters are posted at once.
const HANDS: usize = 4;
/// How often the works of the clock are done.
const TIDY_EVERY: TimeDelta = TimeDelta::hours(1);
/// How many versions are kept at hand for rendering.
const AT_HAND: usize = 64;

/// Carries letters from the deeds that caused them to the mailboxes.
pub struct Worker {
    node: Data<Node>,
    postman: Postman,
    at_hand: HashMap<String, Arc<News>>,
    tidied_at: Option<Instant>,
}

/// The postman that the settings name: SMTP, or files in a folder.
///
/// # Errors
/// When `SKALA_SMTP_URL` makes no sense.
pub fn postman(settings: &Settings) -> Result<Postman, PostmanError> {
    let (from, host) = (settings.mail_from.clone(), settings.public_host());
    match &settings.smtp_url {
        Some(url) => Postman::smtp(url, from, host),
        None => Ok(Postman::folder(settings.mail_dir.clone(), from, host)),
    }
}

/// Works until told to stop: wakes at a commit or when something falls due, and finishes what is in hand.
pub async fn work(node: Data<Node>, postman: Postman, mut stop: watch::Receiver<bool>) {
    let mut worker = Worker::new(node.clone(), postman);
    let mut commits = node.db.commits();
    while !*stop.borrow() {
        commits.borrow_and_update();
        let pause = match worker.step().await {
            Ok(true) => continue,
            Ok(false) => worker.until_next().await,
            Err(error) => {
                tracing::error!(%error, "the worker could not go on");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            // Several commits in a row are one reason to look.
            changed = commits.changed() => if changed.is_ok() { tokio::time::sleep(Duration::from_millis(5)).await },
            () = tokio::time::sleep(pause) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

impl Worker {
    /// A worker of this node, with this postman.
    #[must_use]
    pub fn new(node: Data<Node>, postman: Postman) -> Self {
        Self { node, postman, at_hand: HashMap::new(), tidied_at: None }
    }

    /// Does the next thing; returns whether there was any.
    ///
    /// # Errors
    /// [`DbError`]; nothing is lost, and the same step can be tried again.
    pub async fn step(&mut self) -> Result<bool, DbError> {
        // Personal letters go before the next page of a large audience.
        let delivered = self.deliver().await?;
        let expanded = self.expand().await?;
        if delivered > 0 || expanded {
            return Ok(true);
        }
        self.finish().await?;
        self.tidy().await;
        Ok(false)
    }

    /// Does all that is due now; returns how many letters were posted.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn drain(&mut self) -> Result<usize, DbError> {
        let mut posted = 0;
        self.tidy().await;
        loop {
            let delivered = self.deliver().await?;
            posted += delivered;
            if delivered == 0 && !self.expand().await? {
                self.finish().await?;
                return Ok(posted);
            }
        }
    }

    /// Finds the recipients of the oldest open dispatch, one page; returns whether there was one.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn expand(&mut self) -> Result<bool, DbError> {
        let open = self.node.db.read(|connection| store::in_status(connection, Status::Open)).await?;
        if open.is_empty() {
            return Ok(false);
        }
        let now = self.node.now();
        let seal = self.node.seal.clone();
        self.node.db.write(move |tx| audience::expand_page(tx, &seal, now)).await
    }

    /// Takes up to 32 due letters on lease, posts them, and settles each; returns how many there were.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn deliver(&mut self) -> Result<usize, DbError> {
        let now = self.node.now();
        let due = self.node.db.read(post::store::next_due).await?;
        if due.is_none_or(|due| due > now) {
            return Ok(0);
        }
        let held = self.node.db.write(move |tx| post::store::lease(tx, MAX_IN_FLIGHT, now)).await?;
        let count = held.len();
        let written = self.write_letters(held).await?;
        let settled = post_all(&self.postman, written, now).await;
        let node = self.node.clone();
        for (_, outcome) in &settled {
            node.metrics.deliveries.with_label_values(&[word(outcome)]).inc();
        }
        let now = node.now();
        let dialogues: HashMap<String, String> =
            self.at_hand.iter().map(|(id, news)| (id.clone(), news.version.dialogue_id.to_string())).collect();
        node.db
            .write(move |tx| {
                for (held, outcome) in &settled {
                    post::store::settle(tx, &held.deliveries, outcome, now)?;
                }
                enter_settled(tx, &settled, &dialogues, now)
            })
            .await
            .map(|()| count)
    }

    /// Renders what is held; what is no longer wanted becomes no letter.
    async fn write_letters(&mut self, held: Vec<Held>) -> Result<Vec<(Held, Option<Letter>)>, DbError> {
        let mut versions: Vec<String> = Vec::new();
        let mut subscribers: Vec<String> = Vec::new();
        for one in &held {
            let (subscription_id, notices) = match &one.content {
                Content::Letter(_) => continue,
                Content::Notice { subscription_id, notice } => (subscription_id, std::slice::from_ref(notice)),
                Content::Digest { subscription_id, notices } => (subscription_id, notices.as_slice()),
            };
            subscribers.push(subscription_id.clone());
            versions.extend(notices.iter().map(|told| told.notice_version_id.clone()));
        }
        versions.retain(|version| !self.at_hand.contains_key(version));
        versions.sort_unstable();
        versions.dedup();
        if self.at_hand.len() + versions.len() > AT_HAND {
            self.at_hand.clear();
        }
        let missing = versions;
        let (news, subscriptions) = if subscribers.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let look = move |connection: &mut AnyConnection| {
                let news = missing.iter().map(|id| news(connection, id)).collect::<Result<Vec<_>, DbError>>()?;
                Ok::<_, DbError>((news, subscription::store::find_all(connection, &subscribers)?))
            };
            self.node.db.read(look).await?
        };
        self.at_hand.extend(news.into_iter().map(|news| (news.version.id.to_string(), Arc::new(news))));
        let wanted: HashMap<String, Subscription> = subscriptions
            .into_iter()
            .filter(Subscription::is_confirmed)
            .map(|subscription| (subscription.id.to_string(), subscription))
            .collect();
        held.into_iter()
            .map(|one| {
                let letter = self.render(&one, &wanted)?;
                Ok((one, letter))
            })
            .collect()
    }

    fn render(&self, held: &Held, wanted: &HashMap<String, Subscription>) -> Result<Option<Letter>, DbError> {
        let row = Lift::new("delivery", &held.id);
        let told = |told: &Told| {
            let news = row.some("notice_version_id", self.at_hand.get(&told.notice_version_id))?;
            Ok::<_, DbError>((news.clone(), row.json::<Why>("why", &told.why)?))
        };
        Ok(match &held.content {
            Content::Letter(letter) => Some(letter.as_ref().clone()),
            Content::Notice { subscription_id, notice } => match wanted.get(subscription_id) {
                Some(subscription) => {
                    let (news, why) = told(notice)?;
                    Some(letters::notice(&self.node, &news, subscription, &why))
                }
                None => None,
            },
            Content::Digest { subscription_id, notices } => match wanted.get(subscription_id) {
                Some(subscription) => {
                    let news = notices.iter().map(told).collect::<Result<Vec<_>, DbError>>()?;
                    Some(letters::digest(&self.node, &news, subscription))
                }
                None => None,
            },
        })
    }

    /// Marks dispatches done whose every delivery is settled.
    async fn finish(&self) -> Result<(), DbError> {
        let finished = self.node.db.read(|connection| {
            let expanded = store::in_status(connection, Status::Expanded)?;
            let mut finished = Vec::new();
            for dispatch in expanded {
                let counts = post::store::count_by_status(connection, Some(&dispatch.id.to_string()))?;
                if counts.iter().all(|(status, _)| status != "queued") {
                    finished.push(dispatch);
                }
            }
            Ok::<_, DbError>(finished)
        });
        let finished = finished.await?;
        if finished.is_empty() {
            return Ok(());
        }
        let now = self.node.now();
        self.node
            .db
            .write(move |tx| finished.into_iter().try_for_each(|dispatch| store::update(tx, &dispatch.done(now))))
            .await
    }

    /// Does what is done by the clock, once an hour.
    async fn tidy(&mut self) {
        let now = self.node.now();
        if self.tidied_at.is_none_or(|at| now >= at + TIDY_EVERY) {
            self.tidied_at = Some(now);
            periodic::run(&self.node).await;
        }
    }

    /// How long nothing is due, as far as this node knows: other nodes' commits are not heard.
    async fn until_next(&self) -> Duration {
        let longest = Duration::from_secs(5);
        match self.node.db.read(post::store::next_due).await {
            Ok(Some(due)) => (due - self.node.now()).to_std().unwrap_or(Duration::from_millis(50)).min(longest),
            _ => longest,
        }
    }
}

/// Posts every letter, a few at once, and says what became of each. Blocks nobody but its own threads.
async fn post_all(postman: &Postman, written: Vec<(Held, Option<Letter>)>, now: Instant) -> Vec<(Held, Outcome)> {
    let mut hands: Vec<Vec<(Held, Option<Letter>)>> = Vec::new();
    let share = written.len().div_ceil(HANDS).max(1);
    let mut rest = written.into_iter().peekable();
    while rest.peek().is_some() {
        hands.push(rest.by_ref().take(share).collect());
    }
    let posting = hands.into_iter().map(|hand| {
        let postman = postman.clone();
        tokio::task::spawn_blocking(move || {
            hand.into_iter().map(|one| post_one(&postman, one, now)).collect::<Vec<_>>()
        })
    });
    let mut settled = Vec::new();
    for hand in posting.collect::<Vec<_>>() {
        match hand.await {
            Ok(outcomes) => settled.extend(outcomes),
            // Their lease runs out, and they go again.
            Err(error) => tracing::error!(%error, "posting was broken off"),
        }
    }
    settled
}

fn post_one(postman: &Postman, (held, letter): (Held, Option<Letter>), now: Instant) -> (Held, Outcome) {
    let outcome = match letter {
        None => Outcome::Suppressed { why: "no longer wanted: unsubscribed or erased".to_owned() },
        Some(letter) => {
            let attempt = postman.deliver(&letter, &held.id.to_string(), held.queued_at);
            post::settle(attempt, held.attempts, held.queued_at, now, held.id)
        }
    };
    (held, outcome)
}

/// Enters what became of notices into the ledger, a line for each version.
fn enter_settled(
    tx: &mut Tx<'_>,
    settled: &[(Held, Outcome)],
    dialogues: &HashMap<String, String>,
    now: Instant,
) -> Result<(), DbError> {
    let mut by_version: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (held, outcome) in settled {
        let (Outcome::Sent { answer } | Outcome::Failed { answer } | Outcome::Suppressed { why: answer }) = outcome
        else {
            continue;
        };
        let notices = match &held.content {
            Content::Letter(_) => continue,
            Content::Notice { notice, .. } => std::slice::from_ref(notice),
            Content::Digest { notices, .. } => notices.as_slice(),
        };
        for (id, told) in held.deliveries.iter().zip(notices) {
            let line = json!({"id": id, "outcome": word(outcome), "answer": answer, "letter": held.id});
            by_version.entry(&told.notice_version_id).or_default().push(line);
        }
    }
    for (version, deliveries) in by_version {
        let dialogue = dialogues.get(version).cloned().unwrap_or_default();
        ledger::append(tx, now, dialogue, "settled", &json!({"version_id": version, "deliveries": deliveries}))?;
    }
    Ok(())
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Failed { .. } => "failed",
        Outcome::Suppressed { .. } => "suppressed",
    }
}

fn news(connection: &mut AnyConnection, id: &str) -> Result<News, DbError> {
    let row = Lift::new("delivery", &id);
    let id: Id<Version> = row.id("notice_version_id", id)?;
    let version = row.some("notice_version_id", dialogue::store::find_version(connection, id)?)?;
    let versions = dialogue::store::versions(connection, version.dialogue_id)?;
    let before = versions.iter().rev().find(|other| other.number < version.number);
    let changes = before.map(|before| difference(&before.notice, &version.notice)).unwrap_or_default();
    let dialogue = row.some("notice_version_id", dialogue::store::find(connection, version.dialogue_id)?)?;
    let process = process::store::find(connection, dialogue.process_id)?;
    let process_title = process.map(|process| process.body.title).unwrap_or_default();
    Ok(News { version, process_title, changes })
}
