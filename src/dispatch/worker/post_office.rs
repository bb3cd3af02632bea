//! The post office of one worker: fetches what is due, has it posted by its hands, and writes down what became of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use chrono::TimeDelta;

use super::matter::{self, AtHand, Matter, Prepared};
use super::settling::{enter_unfit, settle_all, word};
use crate::db::{AnyConnection, DbError, Tx};
use crate::dispatch::{letters, store};
use crate::kernel::Instant;
use crate::mail::{Failure, Hand, Letter, Postman, is_dead};
use crate::post::lanes::Ended;
use crate::post::store::{Posted, Postmark, Room, Term};
use crate::post::{self, Begun, Bounds, Content, Desk, Held, Outcome, Task};
use crate::web::Node;

/// How many letters with a postmark are settled together, while there are so many.
const TOGETHER: usize = 256;
/// How long a letter with a postmark waits to be settled at most; and how often is looked for what is more urgent and for
/// what is paused while letters go.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long hands are let finish at most before what is done gets its postmark: one that waited for the database is no
/// measure.
const GATHER_AT_MOST: Duration = Duration::from_millis(50);
/// How long a hand rests that finds the mail server away; twice as long each time, up to [`LONGEST_REST`].
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

pub(super) struct PostOffice {
    node: Data<Node>,
    desk: Arc<Desk<Prepared>>,
    at_hand: Arc<AtHand>,
    /// How many letters have a postmark and may not be settled yet.
    marked: Cell<usize>,
    /// When letters were last settled and fetched.
    looked_at: Cell<Option<std::time::Instant>>,
    /// How long the last postmark took, as far as it is waited for.
    took: Cell<Duration>,
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
        // Who worked here before may have left some.
        let marked = Cell::new(1);
        Self { node, desk, at_hand: Arc::default(), marked, looked_at: Cell::default(), took: Cell::default() }
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.desk.bounds().lease).unwrap_or(TimeDelta::minutes(1))
    }

    /// Lets the hands finish more, until it is enough or for as long as the last postmark took: whoever waits no longer marks
    /// more at a time and is never much later, be it that a flush or that a letter is what takes long.
    pub(super) async fn gather(&self) {
        tokio::time::timeout(self.took.get(), self.desk.enough_done()).await.ok();
    }

    /// Writes down what is done, so that the hands can go on; returns whether there was anything.
    pub(super) async fn mark(&self) -> Result<bool, DbError> {
        let done = self.desk.take_done();
        if done.is_empty() {
            return Ok(false);
        }
        let began = std::time::Instant::now();
        let posted = |(held, outcome): &(Held, Outcome)| {
            let is_gone = matches!(outcome, Outcome::Failed { answer } if is_dead(answer));
            Posted::of(held, outcome, is_gone.then(|| post::keyed(&self.node.seal, &held.recipient.key())))
        };
        let mark = Postmark { at: self.node.now(), letters: done.iter().map(posted).collect() };
        let put = move |connection: &mut AnyConnection| post::store::put_postmark(connection, &mark);
        if let Err(error) = self.node.db.write_aside(put).await {
            self.desk.put_back_done(done);
            return Err(error);
        }
        self.marked.set(self.marked.get() + done.len());
        self.took.set(began.elapsed().min(GATHER_AT_MOST));
        for (_, outcome) in &done {
            self.node.metrics.deliveries.with_label_values(&[word(outcome)]).inc();
        }
        self.desk.written_down(&done);
        Ok(true)
    }

    /// Settles what has a postmark and fetches what is due, in one transaction, when it is worth it; returns whether there
    /// was anything. What is due is looked for when it is said that there may be something new, or little is at hand.
    pub(super) async fn turn(&self, may_be_new: bool) -> Result<bool, DbError> {
        let (renewing, room, runs_low) = (self.desk.to_renew(), self.desk.room(), self.desk.runs_low());
        let waited = || self.looked_at.get().is_none_or(|looked_at| looked_at.elapsed() >= LOOK_EVERY);
        let marked = self.marked.get();
        let presses = !renewing.is_empty() || marked >= TOGETHER || marked > 0 && (runs_low || waited());
        if !presses && !((may_be_new || runs_low) && self.next_due(room).await?.is_zero()) {
            return Ok(false);
        }
        let (now, lease) = (self.node.now(), self.lease());
        let began = std::time::Instant::now();
        let renews = !renewing.is_empty();
        let (desk, node, dialogues) = (Arc::clone(&self.desk), self.node.clone(), self.at_hand.dialogues());
        let deed = move |tx: &mut Tx<'_>| {
            // Before anything is settled: what gets its postmark a moment later lies here still.
            let mut here = desk.holds();
            let term = Term::of(lease, &node.clock, tx.connection)?;
            // What is settled with a pause is on lease no longer.
            post::store::renew(tx, &renewing, term)?;
            let settled = settle_all(tx, &dialogues, now)?;
            let paused = store::held_back(tx.connection, "paused")?;
            let is_paused = |held: &Held| held.content.notices().iter().any(|told| paused.contains(&told.dispatch_id));
            let (aside, later): (Vec<_>, Vec<_>) =
                desk.take_back(is_paused).into_iter().partition(|(held, _)| is_paused(held));
            for (held, _) in aside.iter().chain(&later) {
                here.remove(&held.id);
            }
            post::store::put_off(tx, &later, now)?;
            post::store::pause(tx, &aside.into_iter().map(|(held, _)| held).collect::<Vec<_>>())?;
            let put_off = |domain: &str, more| desk.put_off(domain, more);
            let mut leased = post::store::lease(tx, room, term, &paused, put_off, now)?;
            // A clock that jumps makes what lies here look forsaken: it is held on, and not posted twice.
            leased.held.retain(|held| !here.contains(&held.id));
            enter_unfit(tx, &leased.unfit, &dialogues, now)?;
            Ok::<_, DbError>((settled, leased))
        };
        // What gets its postmark from here on may be settled with it, or not.
        let marked = self.marked.replace(0);
        let (settled, leased) =
            self.node.db.write(deed).await.inspect_err(|_| self.marked.set(self.marked.get() + marked))?;
        self.looked_at.set(Some(began));
        if renews {
            self.desk.renewed(began);
        }
        for unfit in &leased.unfit {
            tracing::error!(delivery = unfit.id, why = unfit.why, "a letter cannot be read and is given up");
            self.node.metrics.deliveries.with_label_values(&["failed"]).inc();
        }
        let moved = settled + leased.held.len() + leased.unfit.len() > 0;
        self.make_ready(leased.held, began);
        Ok(moved)
    }

    /// How long nothing is due that there is room for.
    async fn next_due(&self, room: Room) -> Result<Duration, DbError> {
        if room == [0, 0, 0] {
            return Ok(Duration::MAX);
        }
        let (now, lease, clock) = (self.node.now(), self.lease(), self.node.clock.clone());
        let look = move |connection: &mut AnyConnection| {
            let term = Term::of(lease, &clock, connection)?;
            post::store::next_due(connection, room, term)
        };
        let due: Option<Instant> = self.node.db.read(look).await?;
        Ok(due.map_or(Duration::MAX, |due| (due - now).to_std().unwrap_or(Duration::ZERO)))
    }

    /// How long there is nothing to settle and nothing due, as far as is known.
    pub(super) async fn until_due(&self) -> Duration {
        if self.is_idle() { self.next_due(self.desk.room()).await.unwrap_or(LOOK_EVERY) } else { LOOK_EVERY }
    }

    /// Whether nothing waits at the desk, is in a hand, is to get its postmark or to be settled.
    pub(super) fn is_idle(&self) -> bool {
        self.desk.load() == (0, 0) && self.marked.get() == 0
    }

    /// Returns when a hand is done with a letter.
    pub(super) async fn something_done(&self) {
        self.desk.something_done().await;
    }

    /// Returns when there may be something to settle, or room for more.
    pub(super) async fn something_moved(&self) {
        self.desk.something_moved().await;
    }

    /// Takes no more, gives back what waits, and settles what the hands still do.
    pub(super) async fn finish(&self) {
        self.desk.all_came().await;
        let waiting: Vec<_> = self.desk.close().into_iter().map(|held| (held, Duration::ZERO)).collect();
        let now = self.node.now();
        if let Err(error) = self.node.db.write(move |tx| post::store::put_off(tx, &waiting, now)).await {
            tracing::warn!(%error, "letters could not be given back; they go when their lease is over");
        }
        while !self.is_idle() {
            let moved = match self.mark().await {
                Ok(marked) => self.turn(false).await.map(|moved| moved || marked),
                Err(error) => Err(error),
            };
            match moved {
                Ok(true) => {}
                Ok(false) => drop(tokio::time::timeout(LOOK_EVERY, self.something_done()).await),
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
