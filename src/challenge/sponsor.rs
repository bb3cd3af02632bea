//! Asking a sponsor: the political and the administrative leader whom a challenge names say themselves, by a link in a
//! mail, whether they stand behind it.
//!
//! ```text
//! claimed ──▶ asked ──▶ confirmed    (void when the text changes: claimed again)
//!               ▲ └───▶ refused      (until somebody else is named, or the same one says yes)
//!               └─────────┘
//! ```
//!
//! The link is bound to what it shows: a text that changes afterwards is one that nobody confirmed. A sponsor's address
//! is kept while an answer is waited for, at most [`LIFETIME`], and then forgotten.

use chrono::TimeDelta;
use serde_json::json;

use super::{Challenge, Description};
use crate::criteria::{Backing, Backings, Side, Sponsor};
use crate::kernel::{Email, Id, Instant, Language, digest, fold};

/// How long the link in the mail is good for.
pub const LIFETIME: TimeDelta = TimeDelta::days(14);
/// How long a sponsor is left in peace, between two mails about the same text and after a no.
pub const PEACE: TimeDelta = TimeDelta::days(1);

/// A no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub at: Instant,
    pub reason: Option<String>,
}

/// What a sponsor answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet; perhaps no to an earlier mail.
    Waiting {
        before: Option<Refusal>,
    },
    Confirmed {
        at: Instant,
    },
    Refused(Refusal),
}

/// A sponsor who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SponsorRequest {
    pub id: Id<SponsorRequest>,
    pub challenge_id: Id<Challenge>,
    pub side: Side,
    pub name: String,
    pub title: String,
    /// While an answer is waited for.
    pub email: Option<Email>,
    pub language: Language,
    /// Of what was shown.
    pub text_digest: String,
    pub answer: Answer,
    pub asked_by: String,
    pub asked_at: Instant,
    /// When the last mail went.
    pub mailed_at: Instant,
    pub expires_at: Instant,
}

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    Used,
    Expired,
    TextChanged,
}

/// The digest of what a sponsor of this side is asked to stand behind: the need, its figures, and the sponsor's own
/// name and title. What is not shown to the sponsor is not in it.
#[must_use]
pub fn text_digest(told: &Description, side: Side) -> String {
    let scale = told.scale.clone().unwrap_or_default();
    let sponsor = told.anchoring.as_ref().and_then(|anchoring| anchoring.sponsor(side));
    let shown = json!([
        told.title,
        told.problem,
        told.desired_effect,
        told.affected_users,
        told.time_savings.as_ref().map(|time| (time.hours(), time.basis)),
        told.reduction.as_ref().map(|r| (r.kind, r.quantity, &r.unit, r.basis)),
        (scale.volume, scale.annual_value, scale.affected_people),
        sponsor.map(|sponsor| (&sponsor.name, &sponsor.title)),
    ]);
    digest(shown.to_string().as_bytes())
}

impl SponsorRequest {
    /// Whether it is this person, whatever title and letter case.
    #[must_use]
    pub fn is_to(&self, sponsor: &Sponsor) -> bool {
        fold(self.name.trim()) == fold(sponsor.name.trim())
    }

    /// Whether the challenge still says what this sponsor was shown.
    #[must_use]
    pub fn holds_for(&self, told: &Description) -> bool {
        self.text_digest == text_digest(told, self.side)
    }

    /// What it says of the challenge as it is told now.
    #[must_use]
    pub fn backing(&self, told: &Description) -> Backing {
        let sponsor = told.anchoring.as_ref().and_then(|anchoring| anchoring.sponsor(self.side));
        if !sponsor.is_some_and(|sponsor| self.is_to(sponsor)) {
            return Backing::Claimed;
        }
        let refused = |no: &Refusal| Backing::Refused { refused_at: no.at, reason: no.reason.clone() };
        match (&self.answer, self.holds_for(told)) {
            (Answer::Refused(no) | Answer::Waiting { before: Some(no) }, false) => refused(no),
            (Answer::Refused(no), true) => refused(no),
            (Answer::Waiting { before }, true) => {
                Backing::Asked { asked_at: self.asked_at, refused_before: before.is_some() }
            }
            (Answer::Confirmed { at }, true) => Backing::Confirmed { confirmed_at: *at },
            (Answer::Waiting { before: None } | Answer::Confirmed { .. }, false) => Backing::Claimed,
        }
    }

    /// Whether the link in the mail may still be answered.
    ///
    /// # Errors
    /// [`Dead`].
    pub fn require_open(&self, told: &Description, now: Instant) -> Result<(), Dead> {
        match &self.answer {
            Answer::Confirmed { .. } | Answer::Refused(_) => Err(Dead::Used),
            Answer::Waiting { .. } if !self.holds_for(told) => Err(Dead::TextChanged),
            Answer::Waiting { .. } if now > self.expires_at => Err(Dead::Expired),
            Answer::Waiting { .. } => Ok(()),
        }
    }

    /// Until when this sponsor is left in peace, if that is later than now: a reminder of the same text to the same
    /// address, and any mail after a no, wait for [`PEACE`].
    #[must_use]
    pub fn left_in_peace_until(&self, told: &Description, to: &Email, now: Instant) -> Option<Instant> {
        let sponsor = told.anchoring.as_ref().and_then(|anchoring| anchoring.sponsor(self.side))?;
        let since = match &self.answer {
            Answer::Refused(no) => no.at,
            Answer::Waiting { .. } if self.email.as_ref().is_some_and(|email| email.key() == to.key()) => {
                self.mailed_at
            }
            _ => return None,
        };
        let same_matter = self.holds_for(told) || matches!(self.answer, Answer::Refused(_));
        let until = since + PEACE;
        (same_matter && self.is_to(sponsor) && now < until).then_some(until)
    }

    /// The sponsor's answer; the address is forgotten with it.
    #[must_use]
    pub fn answered(self, answer: Answer) -> Self {
        Self { answer, email: None, ..self }
    }

    /// The no that stands, or stood before this mail.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.answer {
            Answer::Refused(no) | Answer::Waiting { before: Some(no) } => Some(no),
            _ => None,
        }
    }
}

/// What the sponsors said of the challenge as it is told now.
#[must_use]
pub fn backings(requests: &[SponsorRequest], told: &Description) -> Backings {
    requests.iter().fold(Backings::default(), |backings, one| backings.with(one.side, one.backing(told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn told(problem: &str, political: &str) -> Description {
        serde_json::from_value(json!({"title": "T", "problem": problem,
            "anchoring": {"political": {"name": political, "title": "Rådmand", "date": "2026-10-01"}}}))
        .unwrap()
    }

    fn asked(told: &Description) -> SponsorRequest {
        let asked_at = at("2026-11-22T08:00:00Z");
        SponsorRequest {
            id: Id::made_at(asked_at),
            challenge_id: Id::made_at(asked_at),
            side: Side::Political,
            name: "Ib Lund".into(),
            title: "Rådmand".into(),
            email: Email::parse("ib@odense.example"),
            language: Language::Da,
            text_digest: text_digest(told, Side::Political),
            answer: Answer::Waiting { before: None },
            asked_by: "Mette".into(),
            asked_at,
            mailed_at: asked_at,
            expires_at: asked_at + LIFETIME,
        }
    }

    #[test]
    fn a_yes_holds_for_the_text_that_was_shown_and_a_no_for_the_person() {
        let (first, second) = (told("A", "Ib Lund"), told("B", "Ib Lund"));
        let yes = asked(&first).answered(Answer::Confirmed { at: at("2026-11-23T08:00:00Z") });
        assert!(matches!(yes.backing(&first), Backing::Confirmed { .. }));
        assert_eq!(yes.backing(&second), Backing::Claimed);
        let no = asked(&first).answered(Answer::Refused(Refusal { at: at("2026-11-23T08:00:00Z"), reason: None }));
        assert!(matches!(no.backing(&second), Backing::Refused { .. }), "a comma moved is no answer to a no");
        assert_eq!(no.backing(&told("A", "Eva Skov")), Backing::Claimed);
        assert_eq!((yes.email, no.email), (None, None));
    }

    #[test]
    fn a_link_opens_until_it_is_used_too_old_or_about_another_text() {
        let text = told("A", "Ib Lund");
        let request = asked(&text);
        assert_eq!(request.require_open(&text, request.expires_at), Ok(()));
        assert_eq!(request.require_open(&text, request.expires_at + TimeDelta::seconds(1)), Err(Dead::Expired));
        assert_eq!(request.require_open(&told("B", "Ib Lund"), request.asked_at), Err(Dead::TextChanged));
        let used = request.clone().answered(Answer::Confirmed { at: request.asked_at });
        assert_eq!(used.require_open(&text, request.asked_at), Err(Dead::Used));
    }

    #[test]
    fn reminders_of_the_same_text_are_a_day_apart() {
        let text = told("A", "Ib Lund");
        let request = asked(&text);
        let (own, other) = (Email::parse("IB@odense.example").unwrap(), Email::parse("x@y.dk").unwrap());
        let hour = request.mailed_at + TimeDelta::hours(1);
        assert_eq!(request.left_in_peace_until(&text, &own, hour), Some(request.mailed_at + PEACE));
        assert_eq!(request.left_in_peace_until(&text, &own, request.mailed_at + PEACE), None);
        assert_eq!(request.left_in_peace_until(&text, &other, hour), None, "a mistyped address is put right at once");
        assert_eq!(request.left_in_peace_until(&told("B", "Ib Lund"), &own, hour), None, "a new text is a new matter");
        let no = request.clone().answered(Answer::Refused(Refusal { at: hour, reason: None }));
        assert_eq!(no.left_in_peace_until(&told("B", "Ib Lund"), &other, hour), Some(hour + PEACE));
    }
}
