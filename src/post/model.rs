//! When a letter is tried again, and when it is given up.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::kernel::{Email, Id, Instant, Seal};
use crate::mail::{Failure, Letter, on_the_wire};

/// How long a letter is tried before it is given up.
const PATIENCE: TimeDelta = TimeDelta::hours(48);
/// How often it is tried at least: a clock that leaps forward gives up nothing.
const TRIES: i32 = 5;
/// The longest pause, in minutes: after a refusal, and while our own mail server is away.
const LONGEST_PAUSE: i64 = 360;
const LONGEST_PAUSE_AWAY: i64 = 15;
/// How much of what a mail server says is kept, in characters.
const LONGEST_ANSWER: usize = 500;
/// What no letter is put off beyond, once it was due: the longest pause with what spreads it, and room.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(8);

/// One letter to one address, on its way. A name for ids; the row is private to the store.
#[derive(Debug)]
pub struct Delivery;

/// What a worker holds on lease: one letter to be sent, and the deliveries that it settles.
#[derive(Clone, Debug)]
pub struct Held {
    /// The first of its deliveries; names the letter in its Message-ID.
    pub id: Id<Delivery>,
    /// All that it settles: one, or a digest's.
    pub deliveries: Vec<Id<Delivery>>,
    pub recipient: Email,
    /// The receiving domain, in small letters.
    pub domain: String,
    pub urgency: Urgency,
    pub attempts: i32,
    pub queued_at: Instant,
    pub content: Content,
}

/// What is to be said.
#[derive(Clone, Debug)]
pub enum Content {
    /// A letter of its own, kept until it is sent.
    Letter(Box<Letter>),
    /// A notice version, to be rendered for its subscriber.
    Notice { subscription_id: String, notice: Told },
    /// All that waited for one subscriber, in one letter.
    Digest { subscription_id: String, notices: Vec<Told> },
}

impl Held {
    /// What becomes of it after an attempt: it is sent, tried again or given up. What the mail server said is kept for good, so the address
    /// that it may have named is taken out.
    #[must_use]
    pub fn outcome(&self, attempt: Result<String, Failure>, now: Instant) -> Outcome {
        let kept = |answer: String| {
            let answer = without(&answer, self.recipient.as_str());
            answer.chars().filter(|c| *c != '\0').take(LONGEST_ANSWER).collect()
        };
        let attempt = match attempt {
            Ok(answer) => Ok(kept(answer)),
            Err(Failure::Away(answer)) => Err(Failure::Away(kept(answer))),
            Err(Failure::ForNow(answer)) => Err(Failure::ForNow(kept(answer))),
            Err(Failure::ForGood(answer)) => Err(Failure::ForGood(kept(answer))),
        };
        settle(attempt, self.attempts, self.queued_at, now, self.id)
    }
}

/// A mail server's words without the address that they name, as it is written or as it travels.
#[must_use]
pub fn without(words: &str, address: &str) -> String {
    let words = without_spelling(words, address);
    if address.is_ascii() { words } else { without_spelling(&words, &on_the_wire(address)) }
}

fn without_spelling(words: &str, address: &str) -> String {
    let address = address.to_ascii_lowercase();
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    // The two have the same length in bytes: only the letters a to z are folded.
    while let Some((before, after)) = rest
        .to_ascii_lowercase()
        .find(&address)
        .filter(|_| !address.is_empty())
        .and_then(|place| Some((rest.get(..place)?, rest.get(place + address.len()..)?)))
    {
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out.push_str(rest);
    out
}

impl Content {
    /// The notice versions that it tells of.
    #[must_use]
    pub fn notices(&self) -> &[Told] {
        match self {
            Self::Letter(_) => &[],
            Self::Notice { notice, .. } => std::slice::from_ref(notice),
            Self::Digest { notices, .. } => notices,
        }
    }

    /// The subscription by which it goes.
    #[must_use]
    pub fn subscription_id(&self) -> Option<&str> {
        match self {
            Self::Letter(_) => None,
            Self::Notice { subscription_id, .. } | Self::Digest { subscription_id, .. } => Some(subscription_id),
        }
    }
}

/// A notice version that somebody is told of, and why, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub notice_version_id: String,
    pub dispatch_id: String,
    pub why: String,
}

/// What goes first when much is waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody sits and waits for it: confirmations, invitations.
    Personal,
    /// What somebody asked to hear at a set hour.
    Digest,
    /// The same notice to many.
    Bulk,
    /// The same notice to many, whose dispatch is paused: it waits until that goes on.
    Paused,
}

impl Urgency {
    /// What is fetched, the most urgent first.
    pub const IN_ORDER: [Self; 3] = [Self::Personal, Self::Digest, Self::Bulk];

    /// The number that stands in the database.
    #[must_use]
    pub fn rank(self) -> i32 {
        match self {
            Self::Personal => 0,
            Self::Bulk => 1,
            Self::Paused => 2,
            Self::Digest => 3,
        }
    }

    /// The urgency of this number.
    #[must_use]
    pub fn from_rank(rank: i32) -> Option<Self> {
        [Self::Personal, Self::Digest, Self::Bulk, Self::Paused].into_iter().find(|urgency| urgency.rank() == rank)
    }
}

/// What becomes of a letter after an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
///
/// While our own mail server is away nothing is given up: when it is back, what waits is tried.
#[must_use]
fn settle(
    attempt: Result<String, Failure>,
    attempts_before: i32,
    queued_at: Instant,
    now: Instant,
    id: Id<Delivery>,
) -> Outcome {
    let (answer, longest) = match attempt {
        Ok(answer) => return Outcome::Sent { answer },
        Err(Failure::ForGood(answer)) => return Outcome::Failed { answer },
        Err(Failure::ForNow(answer)) => (answer, LONGEST_PAUSE),
        Err(Failure::Away(answer)) => {
            let at = now + pause(attempts_before, LONGEST_PAUSE_AWAY, id);
            return Outcome::Retry { at, answer };
        }
    };
    let at = now + pause(attempts_before, longest, id);
    if at > queued_at + PATIENCE && attempts_before >= TRIES {
        return Outcome::Failed { answer: format!("given up after 48 hours; the last answer was: {answer}") };
    }
    Outcome::Retry { at, answer }
}

fn pause(attempts_before: i32, longest: i64, id: Id<Delivery>) -> TimeDelta {
    let doubled = u32::try_from(attempts_before).ok().and_then(|attempts| 1_i64.checked_shl(attempts.min(16)));
    let minutes = doubled.unwrap_or(longest).clamp(1, longest);
    let jitter = i64::from(id.bytes().last().copied().unwrap_or_default()) * minutes * 15 / 255;
    TimeDelta::minutes(minutes) + TimeDelta::seconds(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn refused() -> Result<String, Failure> {
        Err(Failure::ForNow("no".into()))
    }

    #[test]
    fn what_a_mail_server_says_is_kept_without_the_address() {
        let said = "550 5.1.1 <Ane@Firma.dk>: no such user ane@firma.dk here";
        assert_eq!(without(said, "ane@firma.dk"), "550 5.1.1 <…>: no such user … here");
        assert_eq!(without("250 ok Æ", "ane@firma.dk"), "250 ok Æ");
        assert_eq!(without("æ@x.dk Æ@x.dk", "æ@x.dk"), "… Æ@x.dk");
        assert_eq!(without("550 <ane@xn--rd-lka.dk> ane@ærø.dk", "ane@ærø.dk"), "550 <ane@xn--rd-lka.dk> …");
        assert_eq!(without("550 <ane@xn--r-3fa9c.dk>", "ane@ærø.dk"), "550 <…>");
    }

    #[test]
    fn a_letter_refused_for_good_is_not_tried_again() {
        let now = at("2026-11-22T08:00:00Z");
        let refused = Err(Failure::ForGood("no".into()));
        assert_eq!(settle(refused, 0, now, now, Id::made_at(now)), Outcome::Failed { answer: "no".into() });
    }

    #[test]
    fn pauses_grow_and_end_after_48_hours() {
        let queued = at("2026-11-22T08:00:00Z");
        let id = Id::made_at(queued);
        let (mut now, mut attempts, mut pauses) = (queued, 0, Vec::new());
        while let Outcome::Retry { at, .. } = settle(refused(), attempts, queued, now, id) {
            pauses.push(at - now);
            now = at;
            attempts += 1;
        }
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert!(pauses.first().unwrap() < &TimeDelta::seconds(76));
        assert!((12..20).contains(&attempts), "{attempts}");
        assert!(now <= queued + TimeDelta::hours(48) && now > queued + TimeDelta::hours(40));
    }
    #[test]
    fn a_leap_of_the_clock_gives_up_nothing() {
        let queued = at("2026-11-22T08:00:00Z");
        let later = queued + TimeDelta::days(30);
        assert!(matches!(settle(refused(), 0, queued, later, Id::made_at(queued)), Outcome::Retry { .. }));
        // And a leap back does not make a letter wait longer than its pause.
        let Outcome::Retry { at, .. } = settle(refused(), 3, later, queued, Id::made_at(queued)) else { panic!() };
        assert!(at < queued + TimeDelta::minutes(11));
    }

    proptest::proptest! {
        #[test]
        fn however_the_clock_leaps_a_letter_is_tried_soon_and_given_up_only_after_many_tries(
            leaps in proptest::collection::vec((-100_000_i64..100_000, proptest::bool::ANY), 1..40)
        ) {
            let queued = at("2026-11-22T08:00:00Z");
            let mut now = queued;
            for (attempts, (leap, away)) in (0..).zip(leaps) {
                now += TimeDelta::minutes(leap);
                let failure = if away { Failure::Away("no".into()) } else { Failure::ForNow("no".into()) };
                match settle(Err(failure), attempts, queued, now, Id::made_at(queued)) {
                    Outcome::Retry { at, .. } => {
                        proptest::prop_assert!(at > now && at <= now + LONGEST_WAIT, "{at} at {now}");
                    }
                    outcome => {
                        proptest::prop_assert!(!away && attempts >= TRIES && now > queued, "{outcome:?} after {attempts}");
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn while_our_own_server_is_away_nothing_is_given_up_and_pauses_stay_short() {
        let queued = at("2026-11-22T08:00:00Z");
        let now = queued + TimeDelta::days(30);
        let away = Err(Failure::Away("connection refused".into()));
        let Outcome::Retry { at, .. } = settle(away, 300, queued, now, Id::made_at(queued)) else { panic!() };
        assert!(at <= now + TimeDelta::minutes(19));
    }
}
