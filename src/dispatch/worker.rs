//! The worker: finds recipients, posts letters, tidies up; and the loops that keep it going.

mod matter;
mod post_office;
mod settling;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::Instant;

use self::post_office::PostOffice;
use super::audience::Told;
use super::{Status, audience, periodic, store};
use crate::account;
use crate::config::Settings;
use crate::db::DbError;
use crate::dialogue;
use crate::kernel::{self, copenhagen};
use crate::mail::{Postman, PostmanError, Signer};
use crate::post;
use crate::web::Node;

/// How often the works of the clock are done.
const TIDY_EVERY: TimeDelta = TimeDelta::hours(1);
/// How long it takes at most until what another process committed is seen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long letters that are in hands are waited for when the service stops.
const FINISH: Duration = Duration::from_secs(25);

/// Carries letters from the deeds that caused them to the mailboxes.
pub struct Worker {
    node: Data<Node>,
    office: PostOffice,
    rounds: Rounds,
}

/// What a worker knows from one step to the next, beside posting.
#[derive(Default)]
struct Rounds {
    tidied_at: Option<kernel::Instant>,
    /// What is told by the dispatch whose recipients are being found.
    told: Option<Arc<Told>>,
}

/// The postman that the settings name: SMTP, or files in a folder; with the keys that sign.
///
/// # Errors
/// When `SKALA_SMTP_URL` makes no sense, or a key cannot be read.
pub fn postman(settings: &Settings) -> Result<Postman, PostmanError> {
    let (from, host) = (settings.mail_from.clone(), settings.public_host());
    let postman = match &settings.smtp_url {
        Some(url) => Postman::smtp(url, from, host)?,
        None => Postman::folder(settings.mail_dir.clone(), from, host),
    };
    let signer = |key: &crate::config::DkimKey| {
        let wrong = |error: &dyn std::fmt::Display| {
            PostmanError::new("SKALA_DKIM_KEY", &format!("{}: {error}", key.file.display()))
        };
        let pem = std::fs::read_to_string(&key.file).map_err(|error| wrong(&error))?;
        Signer::from_pem(&pem, &key.selector, &key.domain).map_err(|error| wrong(&error))
    };
    let signers = settings.dkim.iter().map(signer).collect::<Result<_, _>>()?;
    Ok(postman.signing(signers).returning_to(settings.mail_bounces.clone()))
}

/// Works until told to stop: wakes at a commit or when something falls due, and finishes what is in hand. Posting and
/// finding recipients go on side by side: a personal letter does not wait for a large audience.
pub async fn work(node: Data<Node>, postman: Postman, stop: watch::Receiver<bool>) {
    let Worker { office, .. } = Worker::new(node.clone(), postman);
    tokio::join!(keep_posting(node.clone(), office, stop.clone()), keep_expanding(node, stop));
}

async fn keep_posting(node: Data<Node>, office: PostOffice, stop: watch::Receiver<bool>) {
    tokio::join!(keep_marking(&office, stop.clone()), keep_turning(&node, &office, stop));
    if tokio::time::timeout(FINISH, office.finish()).await.is_err() {
        tracing::warn!("some letters are still in hands; they go again when their lease is over");
    }
}

/// Puts postmarks to what the hands have done: they wait for nothing else.
async fn keep_marking(office: &PostOffice, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let pause = match office.mark().await {
            // Whatever is done from here on is told of.
            Ok(_) => Duration::MAX,
            Err(error) => {
                tracing::error!(%error, "letters wait: what became of others could not be written down");
                LOOK_EVERY
            }
        };
        tokio::select! {
            () = office.something_done() => {}
            () = tokio::time::sleep(pause) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
        office.gather().await;
    }
}

/// Settles what has a postmark, and fetches what is due.
async fn keep_turning(node: &Data<Node>, office: &PostOffice, mut stop: watch::Receiver<bool>) {
    let mut commits = node.db.commits();
    let mut may_be_new = true;
    while !*stop.borrow() {
        // Whatever is committed from here on wakes.
        let looked_at = Instant::now();
        commits.borrow_and_update();
        let pause = match office.turn(may_be_new).await {
            Ok(_) => office.until_due().await,
            Err(error) => {
                tracing::error!(%error, "letters wait: others could not be settled, or none could be fetched");
                LOOK_EVERY
            }
        };
        may_be_new = tokio::select! {
            () = office.something_moved() => commits.has_changed().unwrap_or(false),
            () = committed(&mut commits, looked_at + Duration::from_millis(5)) => true,
            () = tokio::time::sleep(pause.min(LOOK_EVERY)) => true,
            changed = stop.changed() => if changed.is_err() { return } else { false },
        }
    }
}

/// Returns at the next commit, which is still to be seen then, and not before this moment: whoever has just looked waits,
/// since several in a row are one reason to look.
async fn committed(commits: &mut watch::Receiver<i64>, not_before: Instant) {
    if commits.changed().await.is_ok() {
        commits.mark_changed();
        tokio::time::sleep_until(not_before).await;
    }
}

async fn keep_expanding(node: Data<Node>, mut stop: watch::Receiver<bool>) {
    let mut commits = node.db.commits();
    let mut rounds = Rounds::default();
    while !*stop.borrow() {
        let looked_at = Instant::now();
        commits.borrow_and_update();
        match step(&node, &mut rounds).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the worker could not go on"),
        }
        tokio::select! {
            () = committed(&mut commits, looked_at + Duration::from_millis(50)) => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

impl Worker {
    /// A worker of this node, with this postman.
    #[must_use]
    pub fn new(node: Data<Node>, postman: Postman) -> Self {
        let office = PostOffice::open(node.clone(), &postman);
        Self { node, office, rounds: Rounds::default() }
    }

    /// Does all that is due now.
    ///
    /// # Errors
    /// [`DbError`]; nothing is lost, and it can be tried again.
    pub async fn drain(&mut self) -> Result<(), DbError> {
        tidy(&self.node, &mut self.rounds.tidied_at).await;
        loop {
            while step(&self.node, &mut self.rounds).await? {}
            let marked = self.office.mark().await?;
            if self.office.turn(true).await? || marked {
                continue;
            }
            if self.office.is_idle() && self.office.until_due().await > Duration::ZERO {
                step(&self.node, &mut self.rounds).await?;
                return Ok(());
            }
            tokio::select! {
                () = self.office.something_done() => {}
                () = self.office.something_moved() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    }
}

/// Does the next thing beside posting; returns whether there may be more.
async fn step(node: &Data<Node>, rounds: &mut Rounds) -> Result<bool, DbError> {
    let moved = expand(node, &mut rounds.told).await? || put_back(node).await? || release_holds(node).await?;
    if moved || account::send_links(node).await? {
        return Ok(true);
    }
    end_dispatches(node).await?;
    tidy(node, &mut rounds.tidied_at).await;
    Ok(false)
}

/// Finds the recipients of the oldest open dispatch, one page; returns whether there was one.
async fn expand(node: &Data<Node>, told: &mut Option<Arc<Told>>) -> Result<bool, DbError> {
    let (now, seal, known) = (node.now(), node.seal.clone(), told.take());
    let page = node.db.read(move |connection| audience::next_page(connection, known, now)).await?;
    let Some(page) = page else { return Ok(false) };
    *told = Some(Arc::clone(page.told()));
    node.db.write(move |tx| audience::enter_page(tx, &seal, page, now)).await.map(|()| true)
}

/// Puts letters of a dispatch that goes on back among those that go, one page; returns whether there were any.
async fn put_back(node: &Data<Node>) -> Result<bool, DbError> {
    let resuming = node.db.read(|connection| store::held_back(connection, "resuming")).await?;
    let Some(dispatch) = resuming.into_iter().next() else { return Ok(false) };
    let deed = move |tx: &mut crate::db::Tx<'_>| {
        if !post::store::resume(tx, &dispatch)? {
            store::resumed(tx, &dispatch)?;
        }
        Ok::<_, DbError>(true)
    };
    node.db.write(deed).await
}

/// Gives seats free that were kept for somebody until now; returns whether there were any.
async fn release_holds(node: &Data<Node>) -> Result<bool, DbError> {
    let now = node.now();
    let next = node.db.read(dialogue::store::next_hold_end).await?;
    if next.is_none_or(|next| next > now) {
        return Ok(false);
    }
    let inside = node.clone();
    let released = node.db.write(move |tx| dialogue::actions::release_holds(tx, &inside, now)).await;
    released.map(|()| true).map_err(|problem| DbError::Refused(problem.to_string()))
}

/// Marks dispatches done whose every delivery is settled.
async fn end_dispatches(node: &Data<Node>) -> Result<(), DbError> {
    let now = node.now();
    let ended = node.db.read(move |connection| {
        let mut ended = Vec::new();
        for dispatch in store::in_status(connection, Status::Expanded, now)? {
            if !post::store::waits(connection, &dispatch.id.to_string())? {
                ended.push(dispatch);
            }
        }
        Ok::<_, DbError>(ended)
    });
    let ended = ended.await?;
    if ended.is_empty() {
        return Ok(());
    }
    node.db.write(move |tx| ended.into_iter().try_for_each(|dispatch| store::update(tx, &dispatch.done(now)))).await
}

/// Does what is done by the clock, once an hour and when a day begins. A clock that was set back does not keep it from it.
async fn tidy(node: &Data<Node>, tidied_at: &mut Option<kernel::Instant>) {
    let now = node.now();
    let day = |at| copenhagen(at).date_naive();
    if tidied_at.is_none_or(|at| (now - at).abs() >= TIDY_EVERY || day(now) != day(at)) {
        *tidied_at = Some(now);
        periodic::run(node).await;
    }
}
