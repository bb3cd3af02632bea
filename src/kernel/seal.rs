//! Links that prove themselves. A sealed token names a purpose, a row and a last moment, signed with the
//! service's secret: nothing about it is stored, it cannot be altered, and it opens one door only.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Id, Instant};

/// What a token is good for; a token for one purpose never opens another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedFor {
    /// Confirming a subscription (double opt-in).
    ConfirmSubscription,
    /// Seeing, changing and erasing a subscription.
    ManageSubscription,
    /// One-click unsubscribing (RFC 8058).
    Unsubscribe,
    /// Setting a first password.
    AcceptInvitation,
    /// Setting a new password.
    ResetPassword,
    /// Confirming that a question to a dialogue is one's own.
    ConfirmQuestion,
    /// Confirming a sign-up to an event.
    ConfirmSignup,
    /// Giving a seat at an event back.
    CancelSignup,
    /// Saying whether one stands behind a challenge.
    SponsorChallenge,
    /// Seeing what became of a need, and being forgotten.
    FollowNeed,
    /// Confirming a suggestion to a call.
    ConfirmSuggestion,
    /// Taking a suggestion back, and being forgotten.
    ForgetSuggestion,
    /// A body's answer to an invitation to own a suggestion.
    AnswerInvitation,
    /// Confirming that one asked for support.
    ConfirmSupportRequest,
    /// Taking back that one asked for support, and being forgotten.
    ForgetSupportRequest,
    /// Signing a letter of intent, or declining to.
    SignLetter,
    /// Saying what a solution brought.
    ReportOutcome,
    /// Reading the report of a dialogue.
    ReadReport,
}

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLink {
    /// It is no link of ours: altered, cut off, or meant for something else.
    Altered,
    /// Its last moment has passed.
    Expired,
    /// What it was made for has moved on since, mostly because it was used.
    Used,
}

impl SealedFor {
    fn byte(self) -> u8 {
        match self {
            Self::ConfirmSubscription => 1,
            Self::ManageSubscription => 2,
            Self::Unsubscribe => 3,
            Self::AcceptInvitation => 4,
            Self::ConfirmQuestion => 5,
            Self::ConfirmSignup => 6,
            Self::CancelSignup => 7,
            Self::ResetPassword => 10,
            Self::SponsorChallenge => 15,
            Self::FollowNeed => 30,
            Self::ConfirmSuggestion => 31,
            Self::AnswerInvitation => 32,
            Self::ConfirmSupportRequest => 33,
            Self::ForgetSuggestion => 34,
            Self::ForgetSupportRequest => 35,
            Self::SignLetter => 40,
            Self::ReportOutcome => 41,
            Self::ReadReport => 20,
        }
    }
}

/// The bytes of a token: purpose, id, last second, state, and the signature of all of them.
const LENGTH: usize = 1 + 16 + 8 + 8 + 16;

/// The service's secret, and what is done with it.
#[derive(Clone)]
pub struct Seal(Arc<[u8]>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// A seal of this secret; at least 32 bytes make it safe.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// HMAC-SHA256 (RFC 2104) of the parts under a use of its own, so that two uses never share a key.
    #[must_use]
    pub fn mac(&self, usage: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.keyed(usage, parts).finalize().into_bytes().into()
    }

    fn keyed(&self, usage: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so the error is unreachable; an empty key is its honest stand-in.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in std::iter::once(&usage.as_bytes()).chain(parts) {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac
    }

    /// A token for `id` that opens until `until`, bound to `state`: when that changes, the token is void.
    #[must_use]
    pub fn token<T>(&self, purpose: SealedFor, id: Id<T>, until: Option<Instant>, state: &str) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(purpose.byte());
        bytes.extend_from_slice(id.bytes());
        bytes.extend_from_slice(&until.map_or(0, |until| until.timestamp()).to_be_bytes());
        bytes.extend(self.mac("state", &[state.as_bytes()]).iter().take(8));
        let mac = self.mac("token", &[&bytes]);
        bytes.extend(mac.iter().take(16));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id that a token names, before it is known to be genuine: only to load the state it is bound to.
    #[must_use]
    pub fn named_by<T>(token: &str) -> Option<Id<T>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == LENGTH)?;
        Some(Id::from_bytes(bytes.get(1..17)?.try_into().ok()?))
    }

    /// Whether the token is genuine, meant for this purpose and state, and not expired at `now`.
    #[must_use]
    pub fn opens<T>(&self, token: &str, purpose: SealedFor, id: Id<T>, state: &str, now: Instant) -> bool {
        self.examine(token, purpose, id, state, now).is_ok()
    }

    /// As [`Seal::opens`], saying why not. A link that is both expired and used is told to be used.
    ///
    /// # Errors
    /// The reason.
    pub fn examine<T>(
        &self,
        token: &str,
        purpose: SealedFor,
        id: Id<T>,
        state: &str,
        now: Instant,
    ) -> Result<(), DeadLink> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == LENGTH);
        let bytes = bytes.ok_or(DeadLink::Altered)?;
        let (head, signature) = bytes.split_at(LENGTH - 16);
        let genuine = head.first() == Some(&purpose.byte())
            && head.get(1..17) == Some(id.bytes().as_slice())
            && self.keyed("token", &[head]).verify_truncated_left(signature).is_ok();
        if !genuine {
            return Err(DeadLink::Altered);
        }
        if head.get(25..33) != self.mac("state", &[state.as_bytes()]).get(..8) {
            return Err(DeadLink::Used);
        }
        let seconds = head.get(17..25).and_then(|b| b.try_into().ok()).map_or(0, i64::from_be_bytes);
        let in_time = seconds == 0 || DateTime::from_timestamp(seconds, 0).is_some_and(|until| now <= until);
        if in_time { Ok(()) } else { Err(DeadLink::Expired) }
    }
}

/// SHA-256 as hexadecimal digits: how secrets that we hand out are remembered.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from the operating system's random source, in base64url.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_opens_its_own_door_until_its_last_second() {
        let seal = Seal::new(b"a secret of the service, long enough");
        let id = Id::<u8>::made_at(at("2026-01-01T00:00:00Z"));
        let token = seal.token(SealedFor::ConfirmSubscription, id, Some(at("2026-01-08T00:00:00Z")), "1");
        let opens = |token: &str, purpose, state, now| seal.opens(token, purpose, id, state, at(now));
        assert!(opens(&token, SealedFor::ConfirmSubscription, "1", "2026-01-08T00:00:00Z"));
        assert!(!opens(&token, SealedFor::ConfirmSubscription, "1", "2026-01-08T00:00:01Z"), "expired");
        assert!(!opens(&token, SealedFor::Unsubscribe, "1", "2026-01-02T00:00:00Z"), "another purpose");
        assert!(!opens(&token, SealedFor::ConfirmSubscription, "2", "2026-01-02T00:00:00Z"), "the state moved on");
        assert_eq!(Seal::named_by::<u8>(&token), Some(id));
        assert!(!Seal::new(b"another").opens(
            &token,
            SealedFor::ConfirmSubscription,
            id,
            "1",
            at("2026-01-02T00:00:00Z")
        ));
    }

    #[test]
    fn a_link_that_opens_nothing_says_why() {
        let seal = Seal::new(b"a secret of the service, long enough");
        let id = Id::<u8>::made_at(at("2026-01-01T00:00:00Z"));
        let token = seal.token(SealedFor::ResetPassword, id, Some(at("2026-01-01T01:00:00Z")), "1");
        let look = |purpose, id, state, now| seal.examine(&token, purpose, id, state, at(now));
        let (reset, early) = (SealedFor::ResetPassword, "2026-01-01T00:30:00Z");
        assert_eq!(look(reset, id, "1", early), Ok(()));
        assert_eq!(look(reset, id, "1", "2026-01-01T01:00:01Z"), Err(DeadLink::Expired));
        assert_eq!(look(reset, id, "2", "2026-01-01T01:00:01Z"), Err(DeadLink::Used));
        assert_eq!(look(SealedFor::AcceptInvitation, id, "1", early), Err(DeadLink::Altered));
        assert_eq!(look(reset, Id::from_bytes([1; 16]), "1", early), Err(DeadLink::Altered), "another's");
    }

    #[test]
    fn an_altered_or_mutilated_token_opens_nothing() {
        let seal = Seal::new(b"a secret of the service, long enough");
        let id = Id::<u8>::made_at(at("2026-01-01T00:00:00Z"));
        let token = seal.token(SealedFor::Unsubscribe, id, None, "");
        for place in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            // The last digit of base64 carries bits that stand for nothing; a decoder refuses or ignores them.
            if place + 1 < token.len() {
                assert!(!seal.opens(&altered, SealedFor::Unsubscribe, id, "", at("2026-01-02T00:00:00Z")));
            }
        }
        assert!(!seal.opens("", SealedFor::Unsubscribe, id, "", at("2026-01-02T00:00:00Z")));
    }

    proptest::proptest! {
        #[test]
        fn only_the_very_token_opens_and_no_text_breaks_the_reader(bytes: [u8; 16], state in ".{0,20}", place in 0_usize..66, with in "[A-Za-z0-9_-]", text in ".{0,80}") {
            let seal = Seal::new(b"a secret of the service, long enough");
            let id = Id::<u8>::from_bytes(bytes);
            let (until, now) = (at("2026-01-03T00:00:00Z"), at("2026-01-02T00:00:00Z"));
            let token = seal.token(SealedFor::ConfirmSignup, id, Some(until), &state);
            proptest::prop_assert!(seal.opens(&token, SealedFor::ConfirmSignup, id, &state, now));
            proptest::prop_assert_eq!(Seal::named_by::<u8>(&token), Some(id));
            let mut altered = token.clone();
            altered.replace_range(place..=place, &with);
            proptest::prop_assert_eq!(seal.opens(&altered, SealedFor::ConfirmSignup, id, &state, now), altered == token);
            proptest::prop_assert!(!seal.opens(&text, SealedFor::ConfirmSignup, id, &state, now));
            let _ = Seal::named_by::<u8>(&text);
        }
    }
}
