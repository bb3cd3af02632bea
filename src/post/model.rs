//! When a letter is tried again, and when it is given up.

use chrono::TimeDelta;

use crate::kernel::{Id, Instant, Seal};
use crate::mail::Failure;

/// How long a worker may hold letters before others take them for abandoned.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How many letters one worker holds at most: the bound on copies after a crash.
pub const MAX_IN_FLIGHT: i64 = 32;
/// How long a letter is tried before it is given up.
const PATIENCE: TimeDelta = TimeDelta::hours(48);

/// One letter to one address, on its way. A name for ids; the row is private to the store.
#[derive(Debug)]
pub struct Delivery;

/// What goes first when much is waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody sits and waits for it: confirmations, invitations.
    Personal,
    /// The same notice to many.
    Bulk,
}

impl Urgency {
    /// The number it is sorted by.
    #[must_use]
    pub fn rank(self) -> i32 {
        match self {
            Self::Personal => 0,
            Self::Bulk => 1,
        }
    }
}

/// What becomes of a letter after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        answer: String,
    },
    Retry {
        at: Instant,
        answer: String,
    },
    Failed {
        answer: String,
    },
    /// It was not sent because nobody wants it any more.
    Suppressed {
        why: String,
    },
}

/// What stands for an address where the address itself must not: only who has the service's secret can tell whether
/// one belongs to the other.
#[must_use]
pub fn keyed(seal: &Seal, email_key: &str) -> String {
    seal.mac("erased", &[email_key.as_bytes()]).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decides after an attempt. The pause doubles from one minute to six hours; `id` spreads the retries of one
/// outage over a quarter of the pause, so that they do not all come back at once.
#[must_use]
pub fn settle(
    attempt: Result<String, Failure>,
    attempts_before: i32,
    queued_at: Instant,
    now: Instant,
    id: Id<Delivery>,
) -> Outcome {
    let failure = match attempt {
        Ok(answer) => return Outcome::Sent { answer },
        Err(failure) if failure.for_good => return Outcome::Failed { answer: failure.answer },
        Err(failure) => failure,
    };
    let minutes = 1_i64.checked_shl(u32::try_from(attempts_before).unwrap_or(0)).unwrap_or(360).clamp(1, 360);
    let jitter = i64::from(id.bytes().last().copied().unwrap_or_default()) * minutes * 15 / 255;
    let at = now + TimeDelta::minutes(minutes) + TimeDelta::seconds(jitter);
    if at > queued_at + PATIENCE {
        let answer = format!("given up after 48 hours; the last answer was: {}", failure.answer);
        return Outcome::Failed { answer };
    }
    Outcome::Retry { at, answer: failure.answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn refused(for_good: bool) -> Result<String, Failure> {
        Err(Failure { for_good, answer: "no".into() })
    }

    #[test]
    fn a_letter_refused_for_good_is_not_tried_again() {
        let now = at("2026-11-22T08:00:00Z");
        assert_eq!(settle(refused(true), 0, now, now, Id::made_at(now)), Outcome::Failed { answer: "no".into() });
    }

    #[test]
    fn pauses_grow_and_end_after_48_hours() {
        let queued = at("2026-11-22T08:00:00Z");
        let id = Id::made_at(queued);
        let (mut now, mut attempts, mut pauses) = (queued, 0, Vec::new());
        while let Outcome::Retry { at, .. } = settle(refused(false), attempts, queued, now, id) {
            pauses.push(at - now);
            now = at;
            attempts += 1;
        }
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert!(pauses.first().unwrap() < &TimeDelta::seconds(76));
        assert!((12..20).contains(&attempts), "{attempts}");
        assert!(now <= queued + TimeDelta::hours(48) && now > queued + TimeDelta::hours(40));
    }
}
