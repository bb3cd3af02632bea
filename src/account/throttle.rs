//! How guessing a password is slowed down without locking its owner out.
//!
//! A *place* is a client's address (IPv6: its /64 network); a place from which an account was signed in to within 90
//! days is *known* to it. A try counts from before it is checked until it succeeds, so that many at once gain nothing,
//! and is forgotten after a day. Three rules, from near to far:
//!
//! | what | bound | whom it holds |
//! |---|---|---|
//! | one account from one place | five tries, then a pause of 1, 2, 4 … at most 300 seconds after each | everybody |
//! | one place, whatever accounts | 50 tries an hour | places not known to the account |
//! | one account from all places | 100 tries a day | places not known to the account |
//!
//! So whoever guesses gets at most a hundred tries a day at an account, from however many addresses, and the owner
//! still comes in from where they always do. From somewhere new during an attack the way in is a link by mail: setting
//! a password by it makes the place known and forgets the tries. The figures follow NIST SP 800-63B § 5.2.2 (no more
//! than 100 failures on an account; waiting times that grow; known addresses first) and OWASP ASVS 5.0, 6.3.1.
//! Addresses without an account are counted like any other, so the answers tell nothing of who has one.
//!
//! Tries are kept in the database: a guesser who is turned away by one node finds the others knowing, and a restart
//! forgives nothing. It costs one small write beside a password hash that takes a thousand times longer.

use chrono::TimeDelta;

use crate::kernel::Instant;

/// How long a place stays known to an account.
pub(super) const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// How long tries are kept.
pub(super) const KEPT: TimeDelta = TimeDelta::days(1);
/// Tries at one account from one place before pauses begin.
const FREE: usize = 5;
/// The longest pause.
const LONGEST: TimeDelta = TimeDelta::seconds(300);
/// Tries from one place in an hour.
const PLACE: (usize, TimeDelta) = (50, TimeDelta::hours(1));
/// Tries at one account in a day.
const ACCOUNT: (usize, TimeDelta) = (100, KEPT);

/// The tries of the last day that did not succeed, each list oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Tries {
    /// At this account from this place.
    pub(super) pair: Vec<Instant>,
    /// From this place.
    pub(super) place: Vec<Instant>,
    /// At this account.
    pub(super) account: Vec<Instant>,
    /// Whether the place is known to the account.
    pub(super) known: bool,
}

impl Tries {
    /// Until when the next try has to wait; none when it may be made now.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        // What was noted by a clock that was far ahead, and has been put right since, keeps nobody waiting.
        let noted = |tries: &[Instant]| tries.partition_point(|at| *at <= now + LONGEST);
        let pair = self.pair.get(..noted(&self.pair)).unwrap_or_default();
        let pause = pair.last().map(|last| *last + pause(pair.len()));
        let full = |tries: &[Instant], (most, span): (usize, TimeDelta)| {
            // The try that must grow old before another fits.
            noted(tries).checked_sub(most).and_then(|place| tries.get(place)).map(|oldest| *oldest + span)
        };
        let far = if self.known { [None, None] } else { [full(&self.place, PLACE), full(&self.account, ACCOUNT)] };
        far.into_iter().chain([pause]).flatten().filter(|until| *until > now).max()
    }
}

fn pause(tries: usize) -> TimeDelta {
    let doublings = u32::try_from(tries.saturating_sub(FREE)).unwrap_or(u32::MAX);
    let seconds = if tries < FREE { 0 } else { 1_i64.checked_shl(doublings.min(32)).unwrap_or(i64::MAX) };
    TimeDelta::seconds(seconds.min(LONGEST.num_seconds()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Instant {
        "2026-11-22T08:00:00Z".parse::<Instant>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn every(count: usize, seconds: i64) -> Vec<Instant> {
        (0..count).map(|number| at(i64::try_from(number).unwrap() * seconds)).collect()
    }

    #[test]
    fn five_tries_are_free_and_then_pauses_double() {
        let waits = |count: usize| {
            let tries = Tries { pair: vec![at(0); count], ..Tries::default() };
            tries.wait_until(at(0)).map_or(0, |until| (until - at(0)).num_seconds())
        };
        assert_eq!([0, 1, 4, 5, 6, 7, 13, 14, 1000].map(waits), [0, 0, 0, 1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn a_place_that_tries_many_accounts_waits_until_its_oldest_try_is_an_hour_old() {
        let tries = Tries { place: every(50, 1), ..Tries::default() };
        assert_eq!(tries.wait_until(at(60)), Some(at(3600)));
        assert_eq!(tries.wait_until(at(3600)), None);
        assert_eq!(Tries { place: every(49, 1), ..Tries::default() }.wait_until(at(60)), None);
    }

    #[test]
    fn a_try_that_a_clock_noted_which_was_ahead_keeps_nobody_waiting() {
        for count in [1, 50, 1000] {
            let ahead = vec![at(7200); count];
            let tries = Tries { pair: ahead.clone(), place: ahead.clone(), account: ahead, known: false };
            assert_eq!(tries.wait_until(at(0)), None, "{count}");
        }
        assert!(
            Tries { pair: vec![at(1); 9], ..Tries::default() }.wait_until(at(0)).is_some(),
            "a node's is a little ahead"
        );
    }

    #[test]
    fn an_account_under_attack_stays_open_to_its_owner() {
        let attacked = Tries { account: every(5000, 1), ..Tries::default() };
        assert!(attacked.wait_until(at(5001)).is_some());
        assert_eq!(Tries { known: true, ..attacked }.wait_until(at(5001)), None);
    }

    proptest! {
        #[test]
        fn nobody_waits_for_longer_than_a_day_and_a_known_place_for_longer_than_five_minutes(
            pair in 0_usize..400, place in 0_usize..400, account in 0_usize..400, known: bool
        ) {
            let tries = Tries { pair: every(pair, 1), place: every(place, 1), account: every(account, 1), known };
            let wait = tries.wait_until(at(400)).map_or(TimeDelta::zero(), |until| until - at(400));
            let longest = if known { LONGEST } else { KEPT };
            prop_assert!(wait <= longest);
        }
    }
}
