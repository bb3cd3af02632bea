//! The desk between those who fetch letters and those who post them: what waits at hand, what is in a hand, and what is
//! done and not yet written down. Hands are threads of their own and never wait for each other; what they have done is
//! written down together.
//!
//! No more letters are in flight (begun, and not yet written down) than the bound: those are the letters that a crash
//! can send twice.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::lanes::{Ended, Lanes, Pacer};
use super::store::Room;
use super::{Delivery, Held, Outcome, Urgency};
use crate::kernel::Id;

/// How many letters wait at hand, beside those in flight.
const AT_HAND: usize = 512;
/// How long a hand waits before it looks again by itself: while letters wait for their lane, and while none do.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a desk is bound by.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How many post at the same time.
    pub hands: usize,
    /// How many letters may be begun and not yet written down.
    pub in_flight: usize,
    /// Letters a second.
    pub rate: Option<NonZeroU32>,
    /// Letters a second to one domain.
    pub domain_rate: Option<NonZeroU32>,
    /// How long a lease lasts.
    pub lease: Duration,
}

/// A letter at the desk: what is held, and what it takes to write it.
#[derive(Debug)]
pub struct Task<T> {
    pub held: Held,
    /// When the lease was granted or renewed.
    pub leased_at: Instant,
    pub matter: T,
}

/// A letter in a hand.
#[derive(Debug)]
pub struct Begun<T> {
    pub task: Task<T>,
    pub at: Instant,
}

#[derive(Debug)]
struct State<T> {
    /// By urgency, the most urgent first.
    waiting: [VecDeque<Task<T>>; 3],
    /// What is held already, and still being made ready to lie here.
    coming: Vec<Id<Delivery>>,
    /// What is in flight, with when its lease was granted or renewed: it is held until it is written down.
    begun: Vec<(Held, Instant)>,
    /// How many hands are busy.
    busy: usize,
    /// What is done, until somebody takes it to write it down.
    done: Vec<(Held, Outcome)>,
    lanes: Lanes,
    pacer: Option<Pacer>,
    open: bool,
}

/// The desk of one worker.
#[derive(Debug)]
pub struct Desk<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
    done: Notify,
    moved: Notify,
    bounds: Bounds,
}

impl<T> Desk<T> {
    /// An open desk with nothing on it.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let state = State {
            waiting: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
            coming: Vec::new(),
            begun: Vec::new(),
            busy: 0,
            done: Vec::new(),
            lanes: Lanes::new(bounds.hands, bounds.domain_rate),
            pacer: bounds.rate.map(Pacer::new),
            open: true,
        };
        Self { state: Mutex::new(state), bell: Condvar::new(), done: Notify::new(), moved: Notify::new(), bounds }
    }

    /// What it is bound by.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which letters come next: the desk holds them from here on.
    pub fn will_come(&self, letters: impl Iterator<Item = Id<Delivery>>) {
        self.state().coming.extend(letters);
    }

    /// Lays letters on the desk, all that were expected and could be made ready.
    pub fn put(&self, tasks: Vec<Task<T>>) {
        let mut state = self.state();
        state.coming.clear();
        for task in tasks {
            state.lanes.waits(&task.held.domain);
            let [personal, digest, bulk] = &mut state.waiting;
            let queue = match task.held.urgency {
                Urgency::Personal => personal,
                Urgency::Digest => digest,
                Urgency::Bulk | Urgency::Paused => bulk,
            };
            queue.push_back(task);
        }
        drop(state);
        self.bell.notify_all();
        self.moved.notify_one();
    }

    /// Returns when nothing is expected.
    pub async fn all_came(&self) {
        while !self.state().coming.is_empty() {
            self.something_moved().await;
        }
    }

    /// The next letter that may go, for a hand; waits for one, and returns none when the desk is closed.
    pub fn take(&self) -> Option<Begun<T>> {
        let mut state = self.state();
        while state.open {
            let now = Instant::now();
            match state.begin(&self.bounds, now) {
                Ok(task) => return Some(Begun { task, at: now }),
                Err(pause) => {
                    let woken = self.bell.wait_timeout(state, pause);
                    state = woken.map_or_else(|poisoned| poisoned.into_inner().0, |woken| woken.0);
                }
            }
        }
        None
    }

    /// A hand is done with a letter.
    pub fn done(&self, begun: Begun<T>, outcome: Outcome, ended: Ended) {
        let Begun { task, at } = begun;
        let mut state = self.state();
        state.lanes.end(&task.held.domain, at, ended, Instant::now());
        state.busy -= 1;
        state.done.push((task.held, outcome));
        // Whoever writes down is told of the first, and then when it is enough: to wake them for each would cost more than
        // a letter's way through here.
        let tells = state.done.len() == 1 || state.is_enough(&self.bounds);
        drop(state);
        if tells {
            self.done.notify_one();
        }
    }

    /// Returns when there is something to write down, or enough of it, for the one who does.
    pub async fn something_done(&self) {
        self.done.notified().await;
    }

    /// Returns when something was written down, or what was expected has come, for the one who fetches more.
    pub async fn something_moved(&self) {
        self.moved.notified().await;
    }

    /// Returns when half of what may be in flight is done, so that the hands can go on with the other half while it is
    /// written down, or when no hand is busy.
    pub async fn enough_done(&self) {
        while !self.state().is_enough(&self.bounds) {
            self.something_done().await;
        }
    }

    /// Takes what is to be written down. It is held until it is.
    #[must_use]
    pub fn take_done(&self) -> Vec<(Held, Outcome)> {
        std::mem::take(&mut self.state().done)
    }

    /// These are written down.
    pub fn written_down(&self, done: &[(Held, Outcome)]) {
        let ids: HashSet<_> = done.iter().map(|(held, _)| held.id).collect();
        self.state().begun.retain(|(held, _)| !ids.contains(&held.id));
        self.bell.notify_all();
        self.moved.notify_one();
    }

    /// They could not be written down; they are to be tried again.
    pub fn put_back_done(&self, done: Vec<(Held, Outcome)>) {
        self.state().done.extend(done);
    }

    /// For how many more letters there is room: none until a good part of it is free, none while others are expected, and
    /// none once it is closed.
    #[must_use]
    pub fn room(&self) -> Room {
        let state = self.state();
        let free = |queue: &VecDeque<_>| {
            let free = AT_HAND.saturating_sub(queue.len());
            if state.open && state.coming.is_empty() && free >= AT_HAND / 2 { free } else { 0 }
        };
        state.waiting.each_ref().map(free)
    }

    /// Whether less than half of what may wait at hand does, and nothing is expected.
    #[must_use]
    pub fn runs_low(&self) -> bool {
        let state = self.state();
        state.coming.is_empty() && state.waiting() < AT_HAND / 2
    }

    /// By how much a letter to this domain is to be put off, when so many more to it are being taken.
    #[must_use]
    pub fn put_off(&self, domain: &str, more: usize) -> Option<Duration> {
        self.state().lanes.put_off(domain, more, Instant::now())
    }

    /// Takes back what waits and can no longer go: to domains that rest, with how long; and, for no time at all, what
    /// `withdrawn` says and what the lease of has become old.
    pub fn take_back(&self, withdrawn: impl Fn(&Held) -> bool) -> Vec<(Held, Duration)> {
        let mut state = self.state();
        let now = Instant::now();
        let mut back = Vec::new();
        let State { waiting, lanes, .. } = &mut *state;
        for queue in waiting {
            queue.retain(|task| {
                let rest = lanes.rest(&task.held.domain, now);
                let stays = rest.is_none() && !withdrawn(&task.held) && !task.is_stale(now, self.bounds.lease);
                if !stays {
                    lanes.leaves(&task.held.domain);
                    back.push((task.held.clone(), rest.unwrap_or_default()));
                }
                stays
            });
        }
        back
    }

    /// All that is held, once the oldest lease is a third over.
    #[must_use]
    pub fn to_renew(&self) -> Vec<Held> {
        let state = self.state();
        let waiting = || state.waiting.iter().flatten().map(|task| (&task.held, task.leased_at));
        let held = || waiting().chain(state.begun.iter().map(|(held, leased_at)| (held, *leased_at)));
        if held().all(|(_, leased_at)| leased_at.elapsed() <= self.bounds.lease / 3) {
            return Vec::new();
        }
        held().map(|(held, _)| held.clone()).collect()
    }

    /// The letters that are expected, wait, or are in flight.
    #[must_use]
    pub fn holds(&self) -> HashSet<Id<Delivery>> {
        let state = self.state();
        let waiting = state.waiting.iter().flatten().map(|task| task.held.id);
        let begun = state.begun.iter().map(|(held, _)| held.id);
        state.coming.iter().copied().chain(waiting).chain(begun).collect()
    }

    /// All leases were renewed at this moment.
    pub fn renewed(&self, at: Instant) {
        let mut state = self.state();
        state.waiting.iter_mut().flatten().for_each(|task| task.leased_at = at);
        state.begun.iter_mut().for_each(|(_, leased_at)| *leased_at = at);
    }

    /// How many letters are in flight, and how many wait at hand or are expected there.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.begun.len(), state.coming.len() + state.waiting())
    }

    /// Lets a hand rest, unless the desk is closed meanwhile.
    pub fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.state();
        while state.open && Instant::now() < until {
            let pause = until.saturating_duration_since(Instant::now());
            state =
                self.bell.wait_timeout(state, pause).map_or_else(|poisoned| poisoned.into_inner().0, |woken| woken.0);
        }
    }

    /// Closes the desk: hands finish the letter they hold, and take no more. Returns what waited.
    pub fn close(&self) -> Vec<Held> {
        let mut state = self.state();
        state.open = false;
        let waiting = state.waiting.iter_mut().flat_map(std::mem::take).map(|task| task.held).collect();
        drop(state);
        self.bell.notify_all();
        waiting
    }
}

impl<T> Task<T> {
    /// Whether its lease may soon be another's: it was not renewed in time.
    fn is_stale(&self, now: Instant, lease: Duration) -> bool {
        now.duration_since(self.leased_at) > lease * 3 / 4
    }
}

impl<T> State<T> {
    /// Whether half of what may be in flight is done, or no hand is busy.
    fn is_enough(&self, bounds: &Bounds) -> bool {
        self.busy == 0 || self.done.len() * 2 >= bounds.in_flight
    }

    /// How many letters wait at hand.
    fn waiting(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    /// Takes the next letter that may go, or says how long there is none unless the bell is rung: whoever lays something on
    /// the desk or writes something down rings it; only time itself does not.
    fn begin(&mut self, bounds: &Bounds, now: Instant) -> Result<Task<T>, Duration> {
        let pause = self.pacer.as_ref().map_or(Duration::ZERO, |pacer| pacer.wait(now));
        if !pause.is_zero() {
            return Err(pause);
        }
        if self.begun.len() < bounds.in_flight
            && let Some(task) = self.next(now, bounds.lease)
        {
            self.busy += 1;
            self.begun.push((task.held.clone(), task.leased_at));
            if let Some(pacer) = &mut self.pacer {
                pacer.take(now);
            }
            return Ok(task);
        }
        let idle = self.waiting.iter().all(VecDeque::is_empty);
        Err(if idle { LONGEST_PAUSE } else { LOOK_AGAIN })
    }

    fn next(&mut self, now: Instant, lease: Duration) -> Option<Task<T>> {
        for queue in &mut self.waiting {
            let free = |task: &Task<T>| !task.is_stale(now, lease) && self.lanes.is_free(&task.held.domain, now);
            if let Some(place) = queue.iter().position(free) {
                let task = queue.remove(place)?;
                self.lanes.begin(&task.held.domain, now);
                return Some(task);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Email;
    use crate::post::{Content, Told};

    fn desk(bounds: Bounds) -> Desk<()> {
        Desk::new(bounds)
    }

    fn bounds(in_flight: usize) -> Bounds {
        Bounds { hands: 8, in_flight, rate: None, domain_rate: None, lease: Duration::from_secs(60) }
    }

    fn task(number: u8, urgency: Urgency) -> Task<()> {
        let recipient = Email::parse(&format!("a@d{number}.example")).unwrap();
        let notice = Told { notice_version_id: String::new(), dispatch_id: String::new(), why: String::new() };
        let held = Held {
            id: Id::from_bytes([number; 16]),
            deliveries: vec![Id::from_bytes([number; 16])],
            domain: recipient.domain(),
            recipient,
            urgency,
            attempts: 0,
            queued_at: "2026-11-22T08:00:00Z".parse().unwrap(),
            content: Content::Notice { subscription_id: String::new(), notice },
        };
        Task { held, leased_at: Instant::now(), matter: () }
    }

    fn begin(desk: &Desk<()>) -> Option<Begun<()>> {
        let now = Instant::now();
        desk.state().begin(&desk.bounds, now).ok().map(|task| Begun { task, at: now })
    }

    #[test]
    fn no_more_letters_are_begun_than_may_be_in_flight_until_some_are_written_down() {
        let desk = desk(bounds(2));
        desk.put((0..5).map(|number| task(number, Urgency::Bulk)).collect());
        let (one, _two) = (begin(&desk).unwrap(), begin(&desk).unwrap());
        assert!(begin(&desk).is_none());
        desk.done(one, Outcome::Sent { answer: String::new() }, Ended::Answered);
        assert!(begin(&desk).is_none(), "it is sent, and nobody has written that down");
        let done = desk.take_done();
        assert_eq!(done.len(), 1);
        assert!(begin(&desk).is_none());
        desk.written_down(&done);
        assert!(begin(&desk).is_some());
        assert_eq!(desk.load(), (2, 2));
    }

    #[test]
    fn whoever_waits_for_the_hands_goes_on_when_the_last_of_them_is_done() {
        let desk = desk(bounds(32));
        let mut look = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(desk.enough_done()).poll(&mut look).is_ready(), "nobody is busy");
        desk.put(vec![task(0, Urgency::Bulk), task(1, Urgency::Bulk)]);
        let (one, two) = (begin(&desk).unwrap(), begin(&desk).unwrap());
        let mut waits = std::pin::pin!(desk.enough_done());
        desk.done(one, Outcome::Sent { answer: String::new() }, Ended::Answered);
        assert!(waits.as_mut().poll(&mut look).is_pending());
        desk.done(two, Outcome::Sent { answer: String::new() }, Ended::Answered);
        assert!(waits.as_mut().poll(&mut look).is_ready());
    }

    #[test]
    fn personal_letters_go_before_digests_and_these_before_bulk() {
        let desk = desk(bounds(32));
        let order = [Urgency::Bulk, Urgency::Digest, Urgency::Personal];
        desk.put(order.into_iter().zip(0..).map(|(urgency, number)| task(number, urgency)).collect());
        let taken: Vec<Urgency> = std::iter::from_fn(|| begin(&desk)).map(|begun| begun.task.held.urgency).collect();
        assert_eq!(taken, [Urgency::Personal, Urgency::Digest, Urgency::Bulk]);
    }

    #[test]
    fn a_letter_whose_lease_was_not_renewed_is_given_back_and_not_posted() {
        let desk = desk(Bounds { lease: Duration::ZERO, ..bounds(32) });
        desk.put(vec![task(0, Urgency::Bulk)]);
        assert!(begin(&desk).is_none());
        let back = desk.take_back(|_| false);
        assert_eq!((back.len(), back[0].1, desk.load()), (1, Duration::ZERO, (0, 0)));
    }

    #[test]
    fn what_a_desk_holds_it_holds_until_it_is_written_down() {
        let desk = desk(bounds(32));
        desk.put(vec![task(0, Urgency::Bulk), task(1, Urgency::Bulk), task(2, Urgency::Bulk)]);
        let (done, _in_hand) = (begin(&desk).unwrap(), begin(&desk).unwrap());
        desk.done(done, Outcome::Sent { answer: String::new() }, Ended::Answered);
        assert_eq!(desk.holds().len(), 3, "one is done, one in a hand, one waits");
        let done = desk.take_done();
        assert_eq!((done.len(), desk.holds().len()), (1, 3), "it is being written down");
        desk.written_down(&done);
        assert_eq!(desk.holds().len(), 2);
    }

    #[test]
    fn what_is_expected_is_held_and_nothing_more_is_asked_for_until_it_has_come() {
        let desk = desk(bounds(32));
        let letter = task(0, Urgency::Bulk);
        desk.will_come([letter.held.id].into_iter());
        assert_eq!((desk.holds().len(), desk.load(), desk.room(), desk.runs_low()), (1, (0, 1), [0, 0, 0], false));
        let mut look = std::task::Context::from_waker(std::task::Waker::noop());
        let mut waits = std::pin::pin!(desk.all_came());
        assert!(waits.as_mut().poll(&mut look).is_pending());
        desk.put(vec![letter]);
        assert!(waits.as_mut().poll(&mut look).is_ready());
        assert_eq!(
            (desk.holds().len(), desk.load(), desk.room(), desk.runs_low()),
            (1, (0, 1), [AT_HAND, AT_HAND, AT_HAND - 1], true)
        );
        desk.will_come([Id::from_bytes([1; 16])].into_iter());
        desk.put(Vec::new());
        assert_eq!(desk.load(), (0, 1), "what could not be made ready does not come");
    }

    #[test]
    fn a_closed_desk_gives_back_what_waits_and_has_room_for_nothing() {
        let desk = desk(bounds(32));
        desk.put(vec![task(0, Urgency::Bulk), task(1, Urgency::Personal)]);
        assert_eq!(desk.close().len(), 2);
        assert_eq!(desk.room(), [0, 0, 0]);
        assert!(desk.take().is_none());
    }
}
