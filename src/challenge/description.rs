//! What a body says of its challenge, in its own words and figures.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::criteria::{Anchoring, Call, Reduction, Scale, TimeSavings};
use crate::kernel::{Fitting, Flaws, Id, text};

/// Where in the body a contact works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Department {
    Innovation,
    Procurement,
    Management,
    Other,
}

/// Whom to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    #[schema(format = "email")]
    pub email: String,
    pub department: Department,
}

/// Whether it can already be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadySolvedCheck {
    /// Whether somebody looked.
    pub searched: bool,
    /// What was found; at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

/// A challenge as its owner tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChallengeBody, example = json!({
    "title": "Natlige tilsyn vækker beboerne",
    "problem": "Nattevagterne går fire runder på plejehjemmet. Mange beboere vågner, når døren åbnes, og de fleste tilsyn viser, at alt er i orden.",
    "desired_effect": "Nattevagten går kun ind, når nogen har brug for det.",
    "affected_users": "beboere på plejehjem, nattevagter", "theme": "velfærdsteknologi", "cpv": ["33190000-8"], "nuts": ["DK031"],
    "contacts": [{"name": "Mette Holm", "email": "mette@odense.example", "department": "innovation"}],
    "time_savings": {"minutes_per_occasion": 6, "occasions_per_week": 140, "staff_count": 30, "basis": "measured"},
    "scale": {"known_bodies": ["Aarhus Kommune"], "volume": {"quantity": 1200, "unit": "plejeboliger"}},
    "anchoring": {"political": {"name": "Ib Lund", "title": "Rådmand", "date": "2026-10-01"},
                  "administrative": {"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"}}
}))]
pub struct Description {
    /// The call it answers; without one it is checked against `welfare-technology`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub call_id: Option<Id<Call>>,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// What happens today, to whom, how often; 1 to 6,000 characters.
    #[schema(min_length = 1, max_length = 6000)]
    pub problem: String,
    /// What shall become possible; at most 3,000 characters.
    #[serde(default)]
    #[schema(max_length = 3000)]
    pub desired_effect: String,
    /// Whom it troubles; at most 1,000 characters.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub affected_users: String,
    /// At most 80 characters.
    #[serde(default)]
    #[schema(max_length = 80)]
    pub theme: String,
    /// CPV 2008 codes, at most 50; the check digit may be left out.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub cpv: Vec<String>,
    /// NUTS codes, at most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub nuts: Vec<String>,
    /// The language it is written in (da, nb, sv, en …); da when left out.
    #[serde(default = "danish")]
    #[schema(default = "da", pattern = "^[a-z]{2}$")]
    pub language: String,
    /// At most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub contacts: Vec<Contact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_savings: Option<TimeSavings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduction: Option<Reduction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchoring: Option<Anchoring>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already_solved_check: Option<AlreadySolvedCheck>,
}

fn danish() -> String {
    "da".to_owned()
}

impl Description {
    /// The least that can be told: a title and the problem, in Danish.
    #[must_use]
    pub fn of(title: String, problem: String) -> Self {
        Self {
            call_id: None,
            title,
            problem,
            desired_effect: String::new(),
            affected_users: String::new(),
            theme: String::new(),
            cpv: Vec::new(),
            nuts: Vec::new(),
            language: danish(),
            contacts: Vec::new(),
            time_savings: None,
            reduction: None,
            scale: None,
            anchoring: None,
            already_solved_check: None,
        }
    }
}

impl Fitting for Description {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.prose("/problem", &mut self.problem, 1, 6000);
        flaws.prose("/desired_effect", &mut self.desired_effect, 0, 3000);
        flaws.prose("/affected_users", &mut self.affected_users, 0, 1000);
        flaws.line("/theme", &mut self.theme, 0, 80);
        flaws.cpv_codes("/cpv", &mut self.cpv);
        flaws.nuts_codes("/nuts", &mut self.nuts);
        self.language = self.language.trim().to_lowercase();
        if self.language.len() != 2 || !self.language.bytes().all(|b| b.is_ascii_lowercase()) {
            let words = text!("Et sprog er to bogstaver, fx da", "A language is two letters, e.g. da");
            flaws.add("/language", "not_a_language", words);
        }
        flaws.count("/contacts", &self.contacts, 0, 20);
        for (index, contact) in self.contacts.iter_mut().enumerate() {
            flaws.line(&format!("/contacts/{index}/name"), &mut contact.name, 1, 120);
            flaws.email(&format!("/contacts/{index}/email"), &mut contact.email);
        }
        if let Some(given) = &mut self.time_savings {
            given.check(flaws);
        }
        if let Some(given) = &mut self.reduction {
            given.check(flaws);
        }
        if let Some(given) = &mut self.scale {
            given.check(flaws);
        }
        if let Some(given) = &mut self.anchoring {
            given.check(flaws);
        }
        if let Some(note) = self.already_solved_check.as_mut().and_then(|check| check.note.as_mut()) {
            flaws.prose("/already_solved_check/note", note, 0, 2000);
        }
    }
}
