//! Challenges in bulk: a challenge a line, each judged by itself; and the same lines out again.
//!
//! A line is a challenge as it is told, and beside it `organisation_id` or `organisation` (its name) where staff speak
//! for a body. A member's lines are its own body's, whether they say so or not.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use super::actions::{self, Judge};
use super::{Challenge, Description};
use crate::access::{Member, Staff};
use crate::db::{AnyConnection, Db, Tx};
use crate::kernel::{Fit, Id, Instant, Language, OrganisationId, text};
use crate::organisation;
use crate::outbox::Actor;
use crate::web::lines::{Line, LineResult};
use crate::web::{Problem, read_json, read_value};

/// On whose behalf lines are read.
#[derive(Clone, Debug)]
pub enum Importer {
    /// A body, for itself.
    Member(Member),
    /// Staff, for the body that a line names.
    Staff(Staff),
    /// The command line, for the body that a line names or else for this one.
    Operator(Option<OrganisationId>),
}

/// How an import is to be done.
#[derive(Clone)]
pub struct Import {
    pub db: Db,
    pub now: Instant,
    pub language: Language,
    pub importer: Importer,
    /// Look only, and store nothing.
    pub dry_run: bool,
    /// Hand each challenge in at once.
    pub submit: bool,
}

/// A line that could be read.
struct Told {
    owner: Owner,
    description: Fit<Description>,
}

enum Owner {
    Unsaid,
    Id(OrganisationId),
    Name(String),
}

impl Import {
    /// Carries out some lines in one transaction; a line that is refused leaves nothing behind.
    pub async fn batch(self, lines: Vec<Line>) -> Vec<LineResult> {
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        let (db, language) = (self.db.clone(), self.language);
        let read = tokio::task::spawn_blocking(move || lines.into_iter().map(read).collect::<Vec<_>>()).await;
        let done = match read {
            Err(stopped) => Err(Problem::internal(&stopped)),
            Ok(lines) if self.dry_run => db.read(move |connection| Ok(self.look(connection, lines))).await,
            Ok(lines) => db.write(move |tx| self.store(tx, lines)).await,
        };
        done.unwrap_or_else(|problem| {
            numbers.into_iter().map(|number| LineResult::error(number, &problem, language)).collect()
        })
    }

    fn look(&self, connection: &mut AnyConnection, lines: Vec<(u64, Result<Told, Problem>)>) -> Vec<LineResult> {
        let mut judge = Judge::default();
        let mut owners = HashMap::new();
        let looked = lines.into_iter().map(|(number, line)| {
            match line.and_then(|told| self.judged(connection, &mut judge, &mut owners, told)) {
                Ok(_) => LineResult::valid(number),
                Err(problem) => LineResult::error(number, &problem, self.language),
            }
        });
        looked.collect()
    }

    fn store(&self, tx: &mut Tx<'_>, lines: Vec<(u64, Result<Told, Problem>)>) -> Result<Vec<LineResult>, Problem> {
        let mut judge = Judge::default();
        let mut owners = HashMap::new();
        let mut results = Vec::with_capacity(lines.len());
        for (number, line) in lines {
            let challenge = line.and_then(|told| self.judged(tx.connection, &mut judge, &mut owners, told));
            results.push(match challenge {
                Ok(challenge) => {
                    // Ids sort by when they were made: so that the lines come out in the order in which they went in.
                    let place = TimeDelta::milliseconds(i64::try_from(number).unwrap_or_default());
                    let challenge = Challenge { id: Id::made_at(self.now + place), ..challenge };
                    // Whatever can be wrong with a line was found before: what fails here fails the batch.
                    actions::register(tx, self.now, &self.actor(), &challenge)?;
                    LineResult::created(number, challenge.id.to_string())
                }
                Err(problem) => LineResult::error(number, &problem, self.language),
            });
        }
        Ok(results)
    }

    /// The challenge that a line tells of, assessed, as it would be stored.
    fn judged(
        &self,
        connection: &mut AnyConnection,
        judge: &mut Judge,
        owners: &mut HashMap<String, Option<OrganisationId>>,
        told: Told,
    ) -> Result<Challenge, Problem> {
        let Told { owner, description } = told;
        let owner = self.owner(connection, owners, owner)?;
        let challenge = judge.draft(connection, self.now, owner, description)?;
        if !self.submit {
            return Ok(challenge);
        }
        judge.require_submittable(connection, self.now, &challenge)?;
        Ok(challenge.submit(self.now)?)
    }

    fn owner(
        &self,
        connection: &mut AnyConnection,
        owners: &mut HashMap<String, Option<OrganisationId>>,
        said: Owner,
    ) -> Result<OrganisationId, Problem> {
        let (key, pointer) = match &said {
            Owner::Unsaid => (String::new(), "/organisation"),
            Owner::Id(id) => (id.to_string(), "/organisation_id"),
            Owner::Name(name) => (crate::kernel::fold(name.trim()), "/organisation"),
        };
        let found = match owners.get(&key) {
            Some(found) => *found,
            None => {
                let found = match &said {
                    Owner::Unsaid => None,
                    Owner::Id(id) => organisation::store::find(connection, *id)?.map(|body| body.id),
                    Owner::Name(name) => organisation::store::find_by_name(connection, name)?.map(|body| body.id),
                };
                *owners.entry(key).or_insert(found)
            }
        };
        let unsaid = matches!(said, Owner::Unsaid);
        let own = match &self.importer {
            Importer::Member(member) => Some(member.organisation_id()),
            Importer::Operator(body) => *body,
            Importer::Staff(_) => None,
        };
        match (own, found) {
            (Some(own), _) if unsaid => Ok(own),
            (_, None) if unsaid => {
                let detail = text!("Skriv, hvis udfordring det er", "Say whose challenge it is");
                Err(Problem::unfit(pointer, "required", detail))
            }
            (_, None) => {
                let detail = text!("Organisationen findes ikke", "The organisation does not exist");
                Err(Problem::unfit(pointer, "unknown", detail))
            }
            (Some(own), Some(found)) if own != found && matches!(self.importer, Importer::Member(_)) => {
                let detail = text!("Det er ikke jeres organisation", "It is not your organisation");
                Err(Problem::unfit(pointer, "not_yours", detail))
            }
            (_, Some(found)) => Ok(found),
        }
    }

    fn actor(&self) -> Actor {
        match &self.importer {
            Importer::Member(member) => member.actor(),
            Importer::Staff(staff) => staff.actor(),
            Importer::Operator(_) => Actor::service(),
        }
    }
}

fn read(line: Line) -> (u64, Result<Told, Problem>) {
    let unreadable = |flaw| {
        let mut flaws = crate::kernel::Flaws::default();
        flaws.0.push(flaw);
        Problem::from(flaws)
    };
    (line.number, line.text.map_err(unreadable).and_then(|text| tell(&text)))
}

fn tell(text: &str) -> Result<Told, Problem> {
    let mut value: Value = read_json(text.as_bytes())?;
    let not_an_object = || Problem::unfit("", "not_an_object", text!("Forventede et objekt", "Expected an object"));
    let fields = value.as_object_mut().ok_or_else(not_an_object)?;
    let (id, name) = (fields.shift_remove("organisation_id"), fields.shift_remove("organisation"));
    let wrong = |pointer: &str| {
        let detail = text!("Forkert type eller form", "Wrong type or form");
        Problem::unfit(pointer, "wrong_type", detail)
    };
    let owner = match (id, name) {
        (None, None) => Owner::Unsaid,
        (Some(id), _) => {
            let id = id.as_str().and_then(|id| id.parse().ok());
            Owner::Id(id.ok_or_else(|| wrong("/organisation_id"))?)
        }
        (None, Some(name)) => Owner::Name(name.as_str().ok_or_else(|| wrong("/organisation"))?.to_owned()),
    };
    Ok(Told { owner, description: Fit::check(read_value(&value)?)? })
}

/// A challenge as a line that an import takes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportLine {
    /// Whose it is, by name.
    pub organisation: String,
    #[serde(flatten)]
    #[schema(inline)]
    pub description: Description,
}

/// Some challenges as lines, for [`Import`] to read.
///
/// # Errors
/// Those of the database.
pub fn lines_of(connection: &mut AnyConnection, challenges: Vec<Challenge>) -> Result<String, Problem> {
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let names = organisation::store::names(connection, &bodies)?;
    let mut lines = String::new();
    for challenge in challenges {
        let organisation = names.get(&challenge.organisation_id).cloned().unwrap_or_default();
        let line = ExportLine { organisation, description: challenge.description };
        lines.push_str(&serde_json::to_string(&line).map_err(|error| Problem::internal(&error))?);
        lines.push('\n');
    }
    Ok(lines)
}
