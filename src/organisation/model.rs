//! What an organisation is.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Cvr, Fitting, Flaws, Instant, Nuts, OrganisationId, copenhagen, text};
use crate::web::Problem;

/// The kinds of organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrganisationKind)]
pub enum Kind {
    Municipality,
    Region,
    State,
    Utility,
    Port,
    PublicCompany,
    Network,
    Association,
    KnowledgeInstitution,
    Company,
    Other,
}

impl Kind {
    const WORDS: [(Self, &'static str); 11] = [
        (Self::Municipality, "municipality"),
        (Self::Region, "region"),
        (Self::State, "state"),
        (Self::Utility, "utility"),
        (Self::Port, "port"),
        (Self::PublicCompany, "public_company"),
        (Self::Network, "network"),
        (Self::Association, "association"),
        (Self::KnowledgeInstitution, "knowledge_institution"),
        (Self::Company, "company"),
        (Self::Other, "other"),
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// What is told of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Odense Kommune", "kind": "municipality", "cvr": "35209115", "country": "DK", "nuts": "DK031"}))]
pub struct OrganisationBody {
    /// 1 to 200 characters; unique, whatever the letter case.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub kind: Kind,
    /// The CVR number: 8 digits with a valid sum; `DK`, spaces and hyphens are dropped. Unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvr: Option<String>,
    /// ISO 3166-1 alpha-2; DK when left out.
    #[serde(default = "denmark")]
    #[schema(default = "DK", pattern = "^[A-Z]{2}$")]
    pub country: String,
    /// Where it is (NUTS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nuts: Option<String>,
    /// The first day it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// The last day it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// Who carries on what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub successor_id: Option<OrganisationId>,
}

fn denmark() -> String {
    "DK".to_owned()
}

impl Fitting for OrganisationBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/name", &mut self.name, 1, 200);
        if let Some(written) = self.cvr.take() {
            match Cvr::parse(&written) {
                Some(cvr) => self.cvr = Some(cvr.to_string()),
                None => flaws.add(
                    "/cvr",
                    "not_a_cvr_number",
                    text!("Det er ikke et gyldigt CVR-nummer", "This is not a valid CVR number"),
                ),
            }
        }
        self.country = self.country.trim().to_uppercase();
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            flaws.add(
                "/country",
                "not_a_country",
                text!("Et land er to bogstaver, fx DK", "A country is two letters, e.g. DK"),
            );
        }
        if let Some(written) = self.nuts.take() {
            match Nuts::parse(&written) {
                Some(nuts) => self.nuts = Some(nuts.to_string()),
                None => {
                    flaws.add("/nuts", "not_a_nuts_code", text!("Det er ikke en NUTS-kode", "This is not a NUTS code"))
                }
            }
        }
        flaws.date("/valid_from", self.valid_from);
        flaws.date("/valid_to", self.valid_to);
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to < from
        {
            flaws.add(
                "/valid_to",
                "before_valid_from",
                text!("Den kan ikke slutte, før den begynder", "It cannot end before it begins"),
            );
        }
    }
}

/// An organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organisation {
    #[schema(value_type = String, format = "uuid")]
    pub id: OrganisationId,
    #[serde(flatten)]
    pub body: OrganisationBody,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When its successor took over what it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub handed_over_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub version: i64,
}

impl Organisation {
    /// An organisation that was just told of.
    #[must_use]
    pub fn new(id: OrganisationId, body: OrganisationBody, now: Instant) -> Self {
        Self { id, body, created_at: now, updated_at: now, handed_over_at: None, version: 1 }
    }

    /// Whether its last day has passed, in Denmark.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.body.valid_to.is_some_and(|last_day| last_day < copenhagen(now).date_naive())
    }

    /// Nothing new is written down for a body that is no more.
    ///
    /// # Errors
    /// 409 after its last day.
    pub fn require_existing(&self, now: Instant) -> Result<(), Problem> {
        let (true, Some(last_day)) = (self.is_over(now), self.body.valid_to) else { return Ok(()) };
        let name = &self.body.name;
        let detail = text!(
            "{name} fandtes til og med {last_day}; brug den organisation, der fører arbejdet videre",
            "{name} existed until {last_day}; use the organisation that carries on its work"
        );
        Err(Problem::conflict("organisation_ended", detail))
    }
}

/// A body that hands over what it has, the one that carries it on, and that one's first day with it.
#[derive(Clone, Debug)]
pub struct Handover {
    pub from: Organisation,
    pub to: Organisation,
    pub first_day: NaiveDate,
}

impl Handover {
    /// The hand-over that an organisation has planned; none without a successor and a last day.
    ///
    /// # Errors
    /// Those of finding the successor.
    pub fn of<E>(
        from: Organisation,
        find: impl FnOnce(OrganisationId) -> Result<Option<Organisation>, E>,
    ) -> Result<Option<Self>, E> {
        let (Some(last_day), Some(successor)) = (from.body.valid_to, from.body.successor_id) else { return Ok(None) };
        let to = find(successor)?;
        Ok(to.map(|to| Self { from, to, first_day: last_day + TimeDelta::days(1) }))
    }
}
