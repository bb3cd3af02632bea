//! Where letters are fetched, written, posted and settled: a desk, hands that post, and one who settles what they have
//! done and fetches more, both in one transaction. What was fetched is made ready beside that.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use chrono::TimeDelta;

use super::matter::{self, AtHand, Matter, Prepared};
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::dialogue;
use crate::dispatch::ledger::{self, Became, OfVersion};
use crate::dispatch::letters;
use crate::dispatch::store;
use crate::kernel::{Id, Instant};
use crate::mail::{Failure, Hand, Letter, Postman};
use crate::post::lanes::Ended;
use crate::post::store::{Leased, Term, Unfit};
use crate::post::{self, Begun, Bounds, Content, Delivery, Desk, Held, Outcome, Task};
use crate::web::Node;

/// How often is looked for what is more urgent and for what is paused, while there is enough at hand.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long hands are let finish at most before what is done is written down: a turn that waited for the database is no
/// measure.
const GATHER_AT_MOST: Duration = Duration::from_millis(50);
/// How long a hand rests that finds the mail server away; twice as long each time, up to [`LONGEST_REST`].
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

pub(super) struct PostOffice {
    node: Data<Node>,
    desk: Arc<Desk<Prepared>>,
    at_hand: Arc<AtHand>,
    /// When it was last looked which dispatches are paused.
    looked_at: Option<std::time::Instant>,
    /// How long the last turn took, as far as it is waited for.
    took: Duration,
}

impl PostOffice {
    /// Opens one with as many hands as the settings say.
    pub(super) fn open(node: Data<Node>, postman: &Postman) -> Self {
        let posting = &node.settings.posting;
        let hands = postman.hands(posting.connections);
        let desk = Arc::new(Desk::new(Bounds {
            hands,
            in_flight: posting.in_flight,
            rate: posting.rate,
            domain_rate: posting.domain_rate,
            lease: posting.lease,
        }));
        for number in 0..hands {
            let (desk, node, hand) = (Arc::clone(&desk), node.clone(), postman.hand());
            let thread = std::thread::Builder::new().name(format!("post {number}"));
            if let Err(error) = thread.spawn(move || keep_posting(&desk, &node, hand)) {
                tracing::error!(%error, "one hand less posts letters");
            }
        }
        Self { node, desk, at_hand: Arc::default(), looked_at: None, took: Duration::ZERO }
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.desk.bounds().lease).unwrap_or(TimeDelta::minutes(1))
    }

    /// Lets the hands finish what they hold, for as long as the last turn took: whoever waits no longer than that writes
    /// down more at a time and is never much later, be it that a flush or that a letter is what takes long.
    pub(super) async fn gather(&self) {
        if !self.is_idle() {
            tokio::time::timeout(self.took, self.desk.hands_rest()).await.ok();
        }
    }

    /// Writes down what is done and fetches what is due, in one transaction; returns how many letters that were.
    pub(super) async fn turn(&mut self) -> Result<usize, DbError> {
        let done = self.desk.take_done();
        let (renewing, room) = (self.desk.to_renew(), self.desk.room());
        if done.is_empty() && renewing.is_empty() && !self.is_due(room).await? {
            return Ok(0);
        }
        let (now, lease) = (self.node.now(), self.lease());
        let began = std::time::Instant::now();
        let renews = !renewing.is_empty();
        // Most turns only write down, for as few words with the database as can be: the hands wait for them.
        let looks = done.is_empty()
            || renews
            || self.desk.runs_low()
            || self.looked_at.is_none_or(|looked_at| looked_at.elapsed() >= LOOK_EVERY);
        let (desk, node) = (Arc::clone(&self.desk), self.node.clone());
        let dialogues = self.at_hand.dialogues();
        let settling = done.clone();
        let deed = move |tx: &mut Tx<'_>| {
            if !settling.is_empty() {
                post::store::settle(tx, settling.iter().map(|(held, outcome)| (held, outcome)), now)?;
                enter(tx, settled_lines(&settling), &dialogues, now)?;
                for (held, outcome) in &settling {
                    crate::dispatch::bounce::after(tx, &node.seal, held, outcome, now)?;
                }
            }
            if !looks {
                return Ok(Leased::default());
            }
            let term = Term::of(lease, &node.clock, tx.connection)?;
            post::store::renew(tx, &renewing, term)?;
            let paused = store::held_back(tx.connection, "paused")?;
            let is_paused = |held: &Held| held.content.notices().iter().any(|told| paused.contains(&told.dispatch_id));
            let (aside, later): (Vec<_>, Vec<_>) =
                desk.take_back(is_paused).into_iter().partition(|(held, _)| is_paused(held));
            post::store::put_off(tx, &later, now)?;
            post::store::pause(tx, &aside.into_iter().map(|(held, _)| held).collect::<Vec<_>>())?;
            let put_off = |domain: &str, more| desk.put_off(domain, more);
            let leased = post::store::lease(tx, room, term, &paused, put_off, now)?;
            enter(tx, leased.unfit.iter().filter_map(unfit_line), &dialogues, now)?;
            Ok::<_, DbError>(leased)
        };
        let leased = match self.node.db.write(deed).await {
            Ok(leased) => leased,
            Err(error) => {
                self.desk.put_back_done(done);
                return Err(error);
            }
        };
        self.took = began.elapsed().min(GATHER_AT_MOST);
        self.desk.written_down(done.len());
        for (_, outcome) in &done {
            self.node.metrics.deliveries.with_label_values(&[word(outcome)]).inc();
        }
        if renews {
            self.desk.renewed(began);
        }
        if looks {
            self.looked_at = Some(began);
        }
        for unfit in &leased.unfit {
            tracing::error!(delivery = unfit.id, why = unfit.why, "a letter cannot be read and is given up");
            self.node.metrics.deliveries.with_label_values(&["failed"]).inc();
        }
        let moved = done.len() + leased.held.len() + leased.unfit.len();
        // A clock that jumps makes what lies here look forsaken: it is held on, and not posted twice.
        let here = self.desk.holds();
        self.make_ready(leased.held.into_iter().filter(|held| !here.contains(&held.id)).collect(), began);
        Ok(moved)
    }

    /// Whether there is room and something due for it.
    async fn is_due(&self, room: post::store::Room) -> Result<bool, DbError> {
        Ok(room.iter().any(|room| *room > 0) && self.next_due().await?.is_zero())
    }

    async fn next_due(&self) -> Result<Duration, DbError> {
        let (now, lease, clock) = (self.node.now(), self.lease(), self.node.clock.clone());
        let look = move |connection: &mut AnyConnection| {
            let term = Term::of(lease, &clock, connection)?;
            post::store::next_due(connection, term)
        };
        let due: Option<Instant> = self.node.db.read(look).await?;
        Ok(due.map_or(Duration::MAX, |due| (due - now).to_std().unwrap_or(Duration::ZERO)))
    }

    /// How long nothing is due, as far as is known. While hands are busy nobody asks: whoever is done makes room.
    pub(super) async fn until_due(&self) -> Duration {
        if !self.is_idle() {
            return Duration::from_secs(1);
        }
        self.next_due().await.unwrap_or(Duration::from_secs(1))
    }

    /// Whether nothing waits at the desk, is in a hand or is to be written down.
    pub(super) fn is_idle(&self) -> bool {
        self.desk.load() == (0, 0)
    }

    /// Returns when a hand is done with a letter.
    pub(super) async fn something_done(&self) {
        self.desk.something_done().await;
    }

    /// Takes no more, gives back what waits, and writes down what the hands still do.
    pub(super) async fn finish(&mut self) {
        self.desk.all_came().await;
        let waiting: Vec<_> = self.desk.close().into_iter().map(|held| (held, Duration::ZERO)).collect();
        let now = self.node.now();
        if let Err(error) = self.node.db.write(move |tx| post::store::put_off(tx, &waiting, now)).await {
            tracing::warn!(%error, "letters could not be given back; they go when their lease is over");
        }
        while self.desk.load() != (0, 0) {
            match self.turn().await {
                Ok(0) => self.something_done().await,
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// Makes letters ready that are held, beside what else goes on, and lays them on the desk.
    fn make_ready(&self, held: Vec<Held>, leased_at: std::time::Instant) {
        if held.is_empty() {
            return;
        }
        self.desk.will_come(held.iter().map(|held| held.id));
        let (node, desk, at_hand) = (self.node.clone(), Arc::clone(&self.desk), Arc::clone(&self.at_hand));
        tokio::spawn(async move {
            let (now, inside) = (node.now(), node.clone());
            let look = move |connection: &mut AnyConnection| {
                matter::prepare(connection, &inside.seal, &at_hand, held, leased_at, now)
            };
            let prepared = node.db.read(look).await;
            if let Err(error) = &prepared {
                tracing::error!(%error, "letters could not be made ready; they go when their lease is over");
                // As long as these are expected, no more are fetched.
                tokio::time::sleep(REST).await;
            }
            desk.put(prepared.unwrap_or_default());
        });
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.desk.close();
    }
}

/// One hand: posts letter after letter until the desk is closed, and rests while the mail server is away.
fn keep_posting(desk: &Desk<Prepared>, node: &Node, mut hand: Hand) {
    let mut away = 0_u32;
    while let Some(begun) = desk.take() {
        let posted = catch_unwind(AssertUnwindSafe(|| post_one(node, &mut hand, &begun)));
        let attempt =
            posted.unwrap_or_else(|_| Attempt::Made(Err(Failure::ForNow("it could not be written".to_owned()))));
        let held = &begun.task.held;
        let (ended, outcome) = match attempt {
            Attempt::Unwanted(why) => (Ended::Unheard, Outcome::Suppressed { why }),
            Attempt::Unwritten(failure) => (Ended::Unheard, held.outcome(Err(failure), node.now())),
            Attempt::Made(attempt) => {
                let ended = match &attempt {
                    Err(Failure::Away(_)) => Ended::Unheard,
                    Err(Failure::ForNow(_)) => Ended::Refused,
                    Ok(_) | Err(Failure::ForGood(_)) => Ended::Answered,
                };
                if let Err(Failure::Away(answer)) = &attempt {
                    if away == 0 {
                        tracing::warn!(%answer, "letters cannot be handed over; they wait");
                    }
                    away += 1;
                } else {
                    away = 0;
                }
                (ended, held.outcome(attempt, node.now()))
            }
        };
        desk.done(begun, outcome, ended);
        if away > 0 {
            desk.rest((REST * 2_u32.saturating_pow(away.min(10) - 1)).min(LONGEST_REST));
        }
    }
}

enum Attempt {
    Unwanted(String),
    Unwritten(Failure),
    Made(Result<String, Failure>),
}

fn post_one(node: &Node, hand: &mut Hand, begun: &Begun<Prepared>) -> Attempt {
    let Task { held, matter, .. } = &begun.task;
    let matter = match matter {
        Ok(matter) => matter,
        Err(failure) => return Attempt::Unwritten(failure.clone()),
    };
    match write(node, held, matter) {
        Err(why) => Attempt::Unwanted(why),
        Ok(letter) => Attempt::Made(hand.deliver(&letter, &held.id.to_string(), held.queued_at)),
    }
}

/// The letter, or why there is none.
fn write(node: &Node, held: &Held, matter: &Matter) -> Result<Letter, String> {
    if let Content::Letter(letter) = &held.content {
        return Ok(letter.as_ref().clone());
    }
    if let Some(why) = &matter.suppressed {
        return Err(format!("the address gets no more: {why}"));
    }
    let unwanted = || "no longer wanted: unsubscribed or erased".to_owned();
    let subscription = matter.subscription.as_ref().ok_or_else(unwanted)?;
    Ok(match (&held.content, matter.news.as_slice()) {
        (Content::Notice { .. }, [(news, why)]) => letters::notice(node, news, subscription, why),
        (_, news) => letters::digest(node, news, subscription),
    })
}

/// What the ledger says of letters that are settled: the version, and the line.
fn settled_lines(settled: &[(Held, Outcome)]) -> impl Iterator<Item = (&str, Became<'_>)> {
    settled.iter().flat_map(|(held, outcome)| {
        let answer = match outcome {
            Outcome::Sent { answer } | Outcome::Failed { answer } | Outcome::Suppressed { why: answer } => Some(answer),
            Outcome::Retry { .. } => None,
        };
        let line = move |id: &Id<Delivery>, answer| {
            let letter = (*id != held.id).then(|| held.id.to_string());
            Became { id: id.to_string(), outcome: word(outcome), answer, letter }
        };
        let told = held.deliveries.iter().zip(held.content.notices());
        answer.into_iter().flat_map(move |answer| {
            told.clone().map(move |(id, told)| (told.notice_version_id.as_str(), line(id, answer)))
        })
    })
}

/// What it says of a notice's delivery that was given up because it cannot be read.
fn unfit_line(unfit: &Unfit) -> Option<(&str, Became<'_>)> {
    let line = Became { id: unfit.id.clone(), outcome: "failed", answer: &unfit.why, letter: None };
    Some((unfit.notice_version_id.as_deref()?, line))
}

/// Enters what became of notices into the ledger, an entry for each version.
fn enter<'a>(
    tx: &mut Tx<'_>,
    lines: impl Iterator<Item = (&'a str, Became<'a>)>,
    dialogues: &HashMap<String, String>,
    now: Instant,
) -> Result<(), DbError> {
    let mut by_version: BTreeMap<&str, Vec<Became>> = BTreeMap::new();
    for (version, line) in lines {
        by_version.entry(version).or_default().push(line);
    }
    for (version_id, deliveries) in by_version {
        let dialogue = match dialogues.get(version_id) {
            Some(dialogue) => dialogue.clone(),
            None => {
                let found = dialogue::store::dialogue_of(tx.connection, version_id)?;
                Lift::new("dialogue_version", &version_id).some("dialogue_id", found)?
            }
        };
        ledger::append(tx, now, dialogue, "settled", &OfVersion { version_id, deliveries })?;
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
