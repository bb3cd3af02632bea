//! Several needs become one challenge, which is filled in from what they tell.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::{News, named, store, tell};
use crate::access::Member;
use crate::challenge::{self, Challenge, Description};
use crate::criteria::{Basis, Call, Scale, TimeSavings};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Id, Instant, Language, OrganisationId, Quantity, Text, text};
use crate::need::model::department_key;
use crate::need::{Estimate, Need, Recognition, State, Voice};
use crate::outbox::{Fact, Subject, record};
use crate::web::{Node, Problem};

/// How many needs are told in their own words in the challenge's text.
const MOST_TOLD: usize = 12;

/// What several needs shall become.
#[derive(Clone, Debug)]
pub enum Gathering {
    /// A new draft, for this call if any.
    Draft { title: String, theme: String, call_id: Option<Id<Call>> },
    /// More needs for a draft of the body; what is written in it stays as it is.
    Into(Id<Challenge>),
}

/// Gathers needs of the member's body into one challenge; those who left an address hear of it.
///
/// # Errors
/// 404 for a challenge that is not the body's, 409 for needs that are settled or a challenge that was submitted, 422 for
/// needs that are not the body's and for an unknown call.
pub fn gather(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    member: &Member,
    ids: &[Id<Need>],
    into: Gathering,
) -> Result<Challenge, Problem> {
    let body = member.organisation_id();
    let mut needs = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        needs.push(named(tx.connection, body, *id, place)?);
    }
    let challenge = match into {
        Gathering::Draft { title, theme, call_id } => {
            let told = describe(tx.connection, body, &needs, title, theme, call_id)?;
            challenge::actions::draft(tx, now, body, member.actor(), told)?
        }
        Gathering::Into(id) => {
            let found = challenge::store::find(tx.connection, id)?.filter(|known| known.organisation_id == body);
            let challenge = found.ok_or_else(Problem::not_found)?;
            challenge.require_editable()?;
            challenge
        }
    };
    for need in needs {
        let by = member.actor();
        let need = need.settle(State::Gathered { challenge_id: challenge.id }, &by.name, now)?;
        store::update(tx, &need)?;
        let title = &challenge.description.title;
        let fact = Fact::new(Subject::Need, need.id, "gathered", by, now);
        record(tx, fact.with(json!({"challenge_id": challenge.id, "title": title})))?;
        tell(tx, node, now, &need, &News::Gathered { challenge: title })?;
    }
    let fact = Fact::new(Subject::Challenge, challenge.id, "gathered_from_needs", member.actor(), now);
    record(tx, fact.with(json!({"need_ids": ids})))?;
    Ok(challenge)
}

/// Who tells of these needs: those who left them, and the departments of the same body that have them too; and what other
/// bodies said of them.
///
/// # Errors
/// Those of the database.
pub fn voices(connection: &mut AnyConnection, needs: &[Need]) -> Result<(Vec<Voice>, Vec<Recognition>), Problem> {
    let ids: Vec<_> = needs.iter().map(|need| need.id).collect();
    Ok(told_by(needs, &store::recognitions(connection, &ids)?))
}

/// As [`voices`], when who has them too is known already.
#[must_use]
pub fn told_by(needs: &[Need], said: &HashMap<Id<Need>, Vec<Recognition>>) -> (Vec<Voice>, Vec<Recognition>) {
    let (mut voices, mut others) = (Vec::new(), Vec::new());
    for need in needs {
        let department = department_key(&need.told.department);
        voices.push(Voice { department, how_often: need.told.how_often });
        for recognition in said.get(&need.id).into_iter().flatten() {
            if recognition.organisation_id == need.organisation_id {
                let department = department_key(&recognition.department);
                voices.push(Voice { department, how_often: recognition.how_often });
            } else {
                others.push(recognition.clone());
            }
        }
    }
    (voices, others)
}

/// A challenge as these needs tell it; whoever gathers them goes on from there.
fn describe(
    connection: &mut AnyConnection,
    body: OrganisationId,
    needs: &[Need],
    title: String,
    theme: String,
    call_id: Option<Id<Call>>,
) -> Result<Fit<Description>, Problem> {
    let (voices, others) = voices(connection, needs)?;
    let estimate = Estimate::of(&voices);
    let bodies: BTreeSet<String> =
        others.into_iter().filter(|said| said.organisation_id != body).map(|said| said.organisation).collect();
    let language = language(needs);
    let say = |text: Text| text.to(language).to_owned();
    let departments = u32::try_from(estimate.departments).unwrap_or(u32::MAX);
    let description = Description {
        call_id,
        affected_users: affected(needs),
        theme,
        language: language.tag().to_owned(),
        time_savings: estimate.hours_per_year.map(|hours| TimeSavings {
            minutes_per_occasion: None,
            occasions_per_week: None,
            staff_count: None,
            hours_per_year: Some(hours),
            basis: Basis::Estimated,
            quality_gain: None,
            note: Some(say(note(needs.len(), &estimate))),
        }),
        scale: Some(Scale {
            known_bodies: Some(bodies.into_iter().collect::<Vec<_>>()).filter(|bodies| !bodies.is_empty()),
            volume: Some(Quantity {
                quantity: f64::from(departments),
                unit: say(text!("afdelinger", "departments")),
                year: None,
            }),
            ..Scale::default()
        }),
        ..Description::of(title, problem(needs, language))
    };
    Ok(Fit::check(description)?)
}

/// The language that most of them are told in.
fn language(needs: &[Need]) -> Language {
    let english = needs.iter().filter(|need| need.language == Language::En).count();
    if english * 2 > needs.len() { Language::En } else { Language::Da }
}

/// The words of the needs, each once, the fullest first.
fn problem(needs: &[Need], language: Language) -> String {
    const MOST: usize = 6000;
    let say = |text: Text| text.to(language).to_owned();
    let mut told: Vec<&Need> = needs.iter().collect();
    told.sort_by_key(|need| std::cmp::Reverse(need.told.what.chars().count() + need.told.today.chars().count()));
    let mut seen = BTreeSet::new();
    told.retain(|need| seen.insert(crate::kernel::fold(&need.told.what)));
    let count = needs.len();
    let mut words = say(text!(
        "{count} behov fra medarbejdere fortæller om det samme:",
        "{count} needs from members of staff tell of the same:"
    ));
    let mut length = words.chars().count();
    for need in told.into_iter().take(MOST_TOLD) {
        let often = need.told.how_often.map(|often| format!(" ({})", say(often.words()))).unwrap_or_default();
        let now = &need.told.today;
        let today = if now.is_empty() { String::new() } else { say(text!(" I dag: {now}", " Today: {now}")) };
        let line = format!("\n\n– {}{often}{today}", need.told.what);
        length += line.chars().count();
        if length > MOST {
            break;
        }
        words.push_str(&line);
    }
    words
}

/// Whom the needs say that it troubles, each once.
fn affected(needs: &[Need]) -> String {
    const MOST: usize = 1000;
    let mut seen = BTreeSet::new();
    let mut words = String::new();
    for who in needs.iter().flat_map(|need| need.told.who.split(&[',', '\n'])).map(str::trim) {
        let more = words.chars().count() + who.chars().count() + 2;
        if !who.is_empty() && more <= MOST && seen.insert(crate::kernel::fold(who)) {
            if !words.is_empty() {
                words.push_str(", ");
            }
            words.push_str(who);
        }
    }
    words
}

fn note(count: usize, estimate: &Estimate) -> Text {
    let (with_hours, departments) = (estimate.departments_with_hours, estimate.departments);
    text!(
        "Skønnet ud fra {count} behov. {with_hours} af {departments} afdelinger har oplyst tal; i hver tæller medianen, og afdelingerne er lagt sammen. Det er tid, som arbejdet tager i dag.",
        "Estimated from {count} needs. {with_hours} of {departments} departments gave figures; in each the median counts, and departments are added up. It is time that the work takes today."
    )
}
