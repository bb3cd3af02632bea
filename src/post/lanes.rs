//! How much one receiving domain may have of the hands that post: a slow or refusing one does not hold up the others.
//!
//! Each domain has a lane. A lane that is not known yet gets a quarter of the hands, one that answers quickly three
//! quarters, one that is slow a single hand. A domain that refuses one letter after another rests, longer each time.
//! What is due faster than its lane goes is put off, so that it does not stand in the way of what could go.
//!
//! Pure: the moments are those of a clock that only goes forward.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// An answer that takes longer makes a lane slow.
const SLOW: Duration = Duration::from_secs(2);
/// So many refusals in a row, and the domain rests.
const REFUSALS: u32 = 20;
/// After a rest it takes fewer.
const REFUSALS_AGAIN: u32 = 5;
/// The first rest; each further one is twice as long, up to [`LONGEST_REST`].
const REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// How far ahead letters are put off: a lane that becomes quick again is used again soon.
const HORIZON: Duration = Duration::from_secs(5 * 60);
/// How many seconds' worth of letters a lane may have at hand.
const AT_HAND: f64 = 2.0;
/// From so many lanes on those that nothing is known against are forgotten.
const MANY: usize = 10_000;

/// How an attempt ended, as far as the domain is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was taken, or refused for good.
    Answered,
    /// It was refused for now.
    Refused,
    /// Nothing was heard from the domain: our own mail server was away.
    Unheard,
}

/// At most so many in a second, evenly.
#[derive(Clone, Debug)]
pub struct Pacer {
    step: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// A pacer of this rate.
    #[must_use]
    pub fn new(rate: NonZeroU32) -> Self {
        Self { step: Duration::from_secs(1) / rate.get(), next: None }
    }

    /// How long the next must wait.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// Takes the next turn. What was missed is not made up for, save a tenth of a second.
    pub fn take(&mut self, now: Instant) {
        let earliest = now.checked_sub(Duration::from_millis(100)).unwrap_or(now);
        self.next = Some(self.next.map_or(now, |next| next.max(earliest)) + self.step);
    }
}

#[derive(Debug, Default)]
struct Lane {
    /// Letters that wait at hand.
    waiting: usize,
    /// When each letter in a hand was begun.
    begun: Vec<Instant>,
    /// How long an answer takes of late.
    pace: Option<Duration>,
    pacer: Option<Pacer>,
    refusals: u32,
    rests: u32,
    rests_until: Option<Instant>,
    /// Up to when letters are put off already.
    booked: Option<Instant>,
}

impl Lane {
    fn is_slow(&self, now: Instant) -> bool {
        self.pace.is_some_and(|pace| pace >= SLOW) || self.begun.iter().any(|begun| now.duration_since(*begun) >= SLOW)
    }

    fn rest(&self, now: Instant) -> Option<Duration> {
        self.rests_until.map(|until| until.saturating_duration_since(now)).filter(|rest| !rest.is_zero())
    }

    fn hands(&self, all: usize, now: Instant) -> usize {
        if self.is_slow(now) {
            1
        } else if self.pace.is_none() {
            (all / 4).max(1)
        } else {
            (all * 3 / 4).max(1)
        }
    }

    /// Letters a second, where there is a bound.
    fn rate(&self, limit: Option<NonZeroU32>, now: Instant) -> Option<f64> {
        let limit = limit.map(|limit| f64::from(limit.get()));
        let pace = self.pace.unwrap_or_default().max(SLOW);
        let slow = self.is_slow(now).then(|| pace.as_secs_f64().recip());
        [limit, slow].into_iter().flatten().reduce(f64::min)
    }
}

/// All lanes of one worker.
#[derive(Debug)]
pub struct Lanes {
    hands: usize,
    limit: Option<NonZeroU32>,
    lanes: HashMap<String, Lane>,
}

impl Lanes {
    /// Lanes for so many hands, with at most `limit` letters a second to one domain.
    #[must_use]
    pub fn new(hands: usize, limit: Option<NonZeroU32>) -> Self {
        Self { hands, limit, lanes: HashMap::new() }
    }

    fn lane(&mut self, domain: &str) -> &mut Lane {
        if !self.lanes.contains_key(domain) {
            if self.lanes.len() >= MANY {
                self.lanes.retain(|_, lane| lane.waiting + lane.begun.len() > 0 || lane.refusals > 0);
            }
            let pacer = self.limit.map(Pacer::new);
            self.lanes.insert(domain.to_owned(), Lane { pacer, ..Lane::default() });
        }
        self.lanes.entry(domain.to_owned()).or_default()
    }

    /// Whether one more letter to this domain may be taken to wait at hand, beside those that wait and `more` that are
    /// being taken; otherwise by how much it is to be put off.
    pub fn put_off(&mut self, domain: &str, more: usize, now: Instant) -> Option<Duration> {
        let limit = self.limit;
        let lane = self.lane(domain);
        if let Some(rest) = lane.rest(now) {
            return Some(rest);
        }
        let rate = lane.rate(limit, now)?;
        if f64::from(u32::try_from(lane.waiting + more).unwrap_or(u32::MAX)) < (rate * AT_HAND).max(1.0) {
            return None;
        }
        let at_hand = now + Duration::from_secs_f64(AT_HAND);
        let slot = lane.booked.map_or(at_hand, |booked| booked.max(at_hand)) + Duration::from_secs_f64(rate.recip());
        lane.booked = Some(slot.min(now + HORIZON));
        Some((slot - now).min(HORIZON))
    }

    /// A letter waits at hand.
    pub fn waits(&mut self, domain: &str) {
        self.lane(domain).waiting += 1;
    }

    /// A waiting letter was taken back.
    pub fn leaves(&mut self, domain: &str) {
        let lane = self.lane(domain);
        lane.waiting = lane.waiting.saturating_sub(1);
    }

    /// Whether a hand may take a letter to this domain now.
    #[must_use]
    pub fn is_free(&self, domain: &str, now: Instant) -> bool {
        self.lanes.get(domain).is_none_or(|lane| {
            lane.begun.len() < lane.hands(self.hands, now)
                && lane.rest(now).is_none()
                && lane.pacer.as_ref().is_none_or(|pacer| pacer.wait(now).is_zero())
        })
    }

    /// A hand takes a waiting letter.
    pub fn begin(&mut self, domain: &str, now: Instant) {
        self.leaves(domain);
        let lane = self.lane(domain);
        lane.begun.push(now);
        if let Some(pacer) = &mut lane.pacer {
            pacer.take(now);
        }
    }

    /// A hand is done with the letter that it began then.
    pub fn end(&mut self, domain: &str, begun: Instant, ended: Ended, now: Instant) {
        let lane = self.lane(domain);
        if let Some(place) = lane.begun.iter().position(|other| *other == begun) {
            lane.begun.swap_remove(place);
        }
        if ended == Ended::Unheard {
            return;
        }
        let took = now.duration_since(begun);
        lane.pace = Some(lane.pace.map_or(took, |pace| (pace * 3 + took) / 4));
        if ended == Ended::Answered {
            (lane.refusals, lane.rests, lane.rests_until) = (0, 0, None);
            return;
        }
        lane.refusals += 1;
        let enough = if lane.rests == 0 { REFUSALS } else { REFUSALS_AGAIN };
        if lane.refusals >= enough {
            lane.rests_until = Some(now + (REST * 2_u32.saturating_pow(lane.rests.min(10))).min(LONGEST_REST));
            lane.rests += 1;
            lane.refusals = 0;
        }
    }

    /// How long this domain rests.
    #[must_use]
    pub fn rest(&self, domain: &str, now: Instant) -> Option<Duration> {
        self.lanes.get(domain)?.rest(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn quick(lanes: &mut Lanes, domain: &str, now: Instant) {
        lanes.waits(domain);
        lanes.begin(domain, now);
        lanes.end(domain, now, Ended::Answered, now + MS);
    }

    #[test]
    fn a_domain_gets_more_hands_when_it_answers_quickly_and_never_all() {
        let (mut lanes, now) = (Lanes::new(8, None), Instant::now());
        let taken = |lanes: &mut Lanes| {
            let mut count = 0;
            while lanes.is_free("a.dk", now) {
                lanes.waits("a.dk");
                lanes.begin("a.dk", now);
                count += 1;
            }
            (0..count).for_each(|_| lanes.end("a.dk", now, Ended::Answered, now + MS));
            count
        };
        assert_eq!(taken(&mut lanes), 2);
        assert_eq!(taken(&mut lanes), 6);
    }

    #[test]
    fn a_domain_that_hangs_keeps_the_hands_it_has_and_gets_no_more() {
        let (mut lanes, now) = (Lanes::new(8, None), Instant::now());
        quick(&mut lanes, "a.dk", now);
        (0..3).for_each(|_| lanes.begin("a.dk", now));
        assert!(lanes.is_free("a.dk", now + SLOW / 2));
        assert!(!lanes.is_free("a.dk", now + SLOW));
        assert!(lanes.is_free("b.dk", now + SLOW));
        assert!(lanes.put_off("a.dk", 0, now + SLOW).is_none(), "one letter waits at hand");
        assert!(lanes.put_off("a.dk", 1, now + SLOW).is_some());
    }

    #[test]
    fn what_is_due_faster_than_the_limit_is_spread_out_and_not_far() {
        let (mut lanes, now) = (Lanes::new(8, NonZeroU32::new(10)), Instant::now());
        let mut taken = 0;
        let mut put_off = Vec::new();
        for _ in 0..10_000 {
            match lanes.put_off("a.dk", taken, now) {
                None => taken += 1,
                Some(by) => put_off.push(by),
            }
        }
        assert_eq!(taken, 20);
        assert!(put_off.is_sorted());
        assert!(put_off.iter().all(|by| *by <= HORIZON));
        assert!(put_off[9] - put_off[0] >= 800 * MS && put_off[9] - put_off[0] <= 1000 * MS, "{put_off:?}");
    }

    #[test]
    fn a_limit_is_kept_to_over_time() {
        let (mut lanes, start) = (Lanes::new(8, NonZeroU32::new(10)), Instant::now());
        let mut sent = 0;
        for ms in 0..5000 {
            let now = start + MS * ms;
            if lanes.is_free("a.dk", now) {
                lanes.begin("a.dk", now);
                lanes.end("a.dk", now, Ended::Answered, now);
                sent += 1;
            }
        }
        assert!((49..=53).contains(&sent), "{sent}");
    }

    #[test]
    fn a_domain_that_refuses_rests_longer_each_time_until_it_takes_a_letter() {
        let (mut lanes, mut now) = (Lanes::new(8, None), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..50 {
            if let Some(rest) = lanes.rest("a.dk", now) {
                assert!(!lanes.is_free("a.dk", now));
                rests.push(rest);
                now += rest;
            }
            lanes.begin("a.dk", now);
            lanes.end("a.dk", now, Ended::Refused, now + MS);
            now += MS;
        }
        assert!(rests.len() >= 5 && rests.is_sorted() && rests.iter().all(|rest| *rest <= LONGEST_REST), "{rests:?}");
        now += LONGEST_REST;
        quick(&mut lanes, "a.dk", now);
        lanes.begin("a.dk", now);
        lanes.end("a.dk", now, Ended::Refused, now + MS);
        assert!(lanes.rest("a.dk", now + MS).is_none(), "one refusal is none");
    }

    #[test]
    fn when_our_own_server_is_away_no_domain_is_blamed() {
        let (mut lanes, now) = (Lanes::new(8, None), Instant::now());
        for _ in 0..100 {
            lanes.begin("a.dk", now);
            lanes.end("a.dk", now, Ended::Unheard, now + SLOW);
        }
        assert!(lanes.rest("a.dk", now).is_none() && lanes.is_free("a.dk", now));
    }
}
