//! The road before and after a market dialogue, on one made-up process: needs in an inbox, the letter of intent, the phases,
//! and who has taken the solution over.

use chrono::Days;
use serde::Deserialize;

use super::{Calls, DemoError, Maker, Work, fit, named};
use crate::access::{Caller, Member, Scope};
use crate::challenge;
use crate::db::Tx;
use crate::kernel::{Email, Id, Language, OrganisationId, Quantity, copenhagen};
use crate::letter_of_intent::actions::signing::{Answer, Named};
use crate::letter_of_intent::{self, actions::signing};
use crate::need::actions::Gathering;
use crate::need::{self, InboxBody, Need, Told};
use crate::phase::actions::Marker;
use crate::phase::{self, EntryBody, MarkState};
use crate::process::{self, CommitmentBody, Process};
use crate::spread::{self, AdoptionBody, BuyerContact, Figures, Stage, Way};
use crate::support::{self, Ask};
use crate::web::{Node, Problem};

/// As `world.json` tells it.
#[derive(Deserialize)]
pub(super) struct Road {
    /// Who sorts the inbox, by address; the inbox is their body's.
    by: String,
    /// Who has one of the needs too, by address.
    recognised_by: String,
    inbox: InboxBody,
    /// What becomes one challenge.
    gathered: Vec<Told>,
    /// What still waits.
    waiting: Vec<Told>,
    call: String,
    title: String,
    process: Work,
    signatories: Vec<Signer>,
    /// Items of the idea phase that are done.
    done: Vec<String>,
    adoptions: Vec<Taken>,
    library: Vec<EntryBody>,
    help: Ask,
}

#[derive(Deserialize)]
struct Signer {
    organisation: String,
    name: String,
    title: String,
    email: String,
    /// How many places the body wants it for.
    places: f64,
    signs: bool,
}

#[derive(Deserialize)]
struct Taken {
    organisation: String,
    stage: Stage,
    days_ago: u64,
    hours_expected: f64,
    contact: Option<BuyerContact>,
}

impl Maker {
    pub(super) fn road(&self, tx: &mut Tx<'_>, node: &Node, calls: &Calls, road: Road) -> Result<(), DemoError> {
        let member = self.member(&road.by)?;
        let address = need::actions::open(tx, self.now, &member, fit(road.inbox)?)?.address;
        let leave = |tx: &mut Tx<'_>, told: Told| -> Result<Id<Need>, DemoError> {
            Ok(need::actions::leave(tx, node, self.now, &address, fit(told)?, None, None)?.id)
        };
        let needs = road.gathered.into_iter().map(|told| leave(tx, told)).collect::<Result<Vec<_>, _>>()?;
        for told in road.waiting {
            leave(tx, told)?;
        }
        self.share(tx, &needs, &member, &road.recognised_by)?;
        let call_id = calls.get(&road.call).copied();
        let into = Gathering::Draft { title: road.title, theme: String::new(), call_id };
        let challenge = need::actions::gather(tx, node, self.now, &member, &needs, into)?.id;
        challenge::actions::submit(tx, self.now, member.organisation_id(), member.actor(), challenge)?;
        self.approve(tx, challenge)?;

        let process = self.process(tx, calls, road.process)?;
        process::actions::add_challenge(tx, self.now, &self.staff, process, challenge)?;
        let public = process::store::find(tx.connection, process)?.ok_or_else(Problem::not_found)?;
        process::actions::tell_senders(tx, node, self.now, &self.staff, &public)?;
        self.letter(tx, node, process, road.signatories)?;
        phase::actions::begin(tx, self.now, &self.staff, process)?;
        for key in road.done {
            let by = Marker::Member(self.member(&road.by)?);
            phase::actions::mark(tx, self.now, &by, process, &key, MarkState::Done, None)?;
        }
        for entry in road.library {
            phase::actions::add_entry(tx, self.now, &self.staff, fit(entry)?)?;
        }
        for taken in road.adoptions {
            self.adoption(tx, process, taken)?;
        }
        support::actions::ask_signed_in(tx, self.now, self.person(&road.by)?, fit(road.help)?, Language::Da)?;
        Ok(())
    }

    fn member(&self, email: &str) -> Result<Member, DemoError> {
        Ok(Caller::Person(self.person(email)?.clone()).member(Scope::ChallengesWrite)?)
    }

    /// The first need is shared, and another body has it too.
    fn share(&self, tx: &mut Tx<'_>, needs: &[Id<Need>], owner: &Member, other: &str) -> Result<(), DemoError> {
        let Some(first) = needs.first() else { return Ok(()) };
        let need = need::actions::own(tx.connection, owner.organisation_id(), *first)?;
        let version = need.version + 1;
        need::store::update(tx, &Need { shared: true, version, ..need })?;
        let note = "Sådan er det også på vores plejehjem.".to_owned();
        need::actions::recognise(tx, self.now, &self.member(other)?, *first, String::new(), None, note)?;
        Ok(())
    }

    /// The letter goes out to its signatories, some of whom have signed already.
    fn letter(
        &self,
        tx: &mut Tx<'_>,
        node: &Node,
        process: Id<Process>,
        signers: Vec<Signer>,
    ) -> Result<(), DemoError> {
        for signer in &signers {
            let body = CommitmentBody {
                organisation_id: named(&self.bodies, &signer.organisation)?,
                level: challenge::Level::Interested,
                volume: Some(Quantity { quantity: signer.places, unit: "plejeboliger".to_owned(), year: None }),
                volumes: Vec::new(),
                annual_value: None,
                option_value: None,
                signed_by: None,
                signed_on: None,
            };
            process::actions::commit(tx, self.now, self.staff.actor(), process, fit(body)?, Language::Da)?;
        }
        let letter = letter_of_intent::actions::draft(tx, self.now, &self.staff, process, None, Language::Da)?;
        let mut asked = Vec::new();
        for signer in signers {
            let email = Email::parse(&signer.email).ok_or_else(|| DemoError::Story(signer.email.clone()))?;
            let organisation_id: OrganisationId = named(&self.bodies, &signer.organisation)?;
            let (name, title, language) = (signer.name, signer.title, Language::Da);
            let who = Named { organisation_id, name, title, email, language, until: None };
            let one = signing::name_signatory(tx, node, self.now, &self.staff, letter.id, who)?;
            asked.push((one.id, signer.signs));
        }
        letter_of_intent::actions::send(tx, node, self.now, &self.staff, letter.id, None)?;
        for (id, _) in asked.into_iter().filter(|(_, signs)| *signs) {
            let token = signing::token(tx.connection, node, id)?;
            signing::answer(tx, node, self.now, &token, Answer::Sign)?;
        }
        Ok(())
    }

    fn adoption(&self, tx: &mut Tx<'_>, process: Id<Process>, taken: Taken) -> Result<(), DemoError> {
        let today = copenhagen(self.now).date_naive();
        let adopted_on = today.checked_sub_days(Days::new(taken.days_ago)).unwrap_or(today);
        let body = AdoptionBody {
            organisation_id: named(&self.bodies, &taken.organisation)?,
            adopted_on,
            way: Way::Copied,
            in_use: None,
            stage: Some(taken.stage),
            since: None,
            contact: taken.contact,
            expected: Some(Figures { hours_saved_per_year: Some(taken.hours_expected), ..Figures::default() }),
        };
        spread::actions::adopt(tx, self.now, &self.staff, process, fit(body)?)?;
        Ok(())
    }
}
