//! What people say: of two challenges whether they are one need, of a suggested group that it is none.
//!
//! A verdict holds for its two challenges, both ways, and for nothing else: it outranks their score and leaves
//! every other score as it is. The newest counts, the earlier ones are kept. A rejected group stays rejected until
//! something new speaks for it: a challenge that was not in it then, or a later "same need" within it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::challenge::Challenge;
use crate::kernel::{Fitting, Flaws, Id};

/// Whether two challenges are one need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MatchVerdictWord)]
pub enum Verdict {
    /// The same need: the score is 1.
    Same,
    /// Another need that belongs beside it: the score is 0.5.
    Related,
    /// Another need, whatever it looks like: the score is 0.
    Different,
}

impl Verdict {
    const WORDS: [(Self, &'static str); 3] =
        [(Self::Same, "same"), (Self::Related, "related"), (Self::Different, "different")];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(verdict, _)| *verdict == self).map_or("", |(_, word)| word)
    }

    /// The verdict of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(verdict, _)| *verdict)
    }

    /// What stands in the score's place.
    #[must_use]
    pub fn score(self) -> f32 {
        match self {
            Self::Same => 1.0,
            Self::Related => 0.5,
            Self::Different => 0.0,
        }
    }
}

/// A verdict to be written down.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"verdict": "different", "reason": "Deres alarmer er brandalarmer; vores er nødkald."}))]
pub struct VerdictBody {
    pub verdict: Verdict,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
}

impl Fitting for VerdictBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
    }
}

/// What somebody said of two challenges.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MatchVerdict)]
pub struct Said {
    pub verdict: Verdict,
    #[schema(required, nullable)]
    pub reason: Option<String>,
    pub said_by: String,
    pub said_at: DateTime<Utc>,
}

/// A suggested group that somebody turned down.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RejectedSuggestion)]
pub struct Rejection {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Rejection>,
    #[schema(value_type = Vec<String>)]
    pub challenge_ids: Vec<Id<Challenge>>,
    pub reason: String,
    pub said_by: String,
    pub said_at: DateTime<Utc>,
}

/// Two challenges and what was said of them.
pub type Pair = (Id<Challenge>, Id<Challenge>, Said);

impl Rejection {
    /// Whether it still speaks against this group.
    #[must_use]
    pub fn stands_against(&self, group: &[Id<Challenge>], verdicts: &[Pair]) -> bool {
        let is_in = |id: &Id<Challenge>| self.challenge_ids.contains(id);
        let is_new = |(one, other, said): &Pair| {
            said.verdict == Verdict::Same && said.said_at > self.said_at && group.contains(one) && group.contains(other)
        };
        group.iter().all(is_in) && !verdicts.iter().any(is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, hour, 0, 0).unwrap()
    }

    #[test]
    fn a_rejected_group_stays_rejected_until_something_new_speaks_for_it() {
        let [a, b, c] = [Id::made_at(at(1)), Id::made_at(at(2)), Id::made_at(at(3))];
        let rejection = Rejection {
            id: Id::made_at(at(4)),
            challenge_ids: vec![a, b],
            reason: "to behov".to_owned(),
            said_by: "Mette".to_owned(),
            said_at: at(5),
        };
        let said = |hour| Said { verdict: Verdict::Same, reason: None, said_by: "Ole".to_owned(), said_at: at(hour) };
        assert!(rejection.stands_against(&[a, b], &[]));
        assert!(rejection.stands_against(&[a, b], &[(a, b, said(4))]), "that was known when it was rejected");
        assert!(!rejection.stands_against(&[a, b], &[(a, b, said(6))]));
        assert!(!rejection.stands_against(&[a, b, c], &[]));
    }
}
