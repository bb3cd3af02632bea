//! The letter that asks what a solution brought.

use super::actions::report_token;
use super::model::outcome::LINK_LIFETIME;
use super::{Adoption, BuyerContact, Outcome, OutcomeState};
use crate::kernel::{Email, Text, copenhagen, text};
use crate::mail::{Letter, Prose};
use crate::process::Process;
use crate::web::Node;

/// Asks a contact what was realised against what was expected.
pub(super) fn what_did_it_bring(
    node: &Node,
    process: &Process,
    adoption: &Adoption,
    contact: &BuyerContact,
    to: &Email,
    outcome: &Outcome,
) -> Letter {
    let say = |text: Text| text.to(contact.language).to_owned();
    let (months, organisation, title) = (outcome.months, &adoption.organisation, &process.body.title);
    let (name, token) = (&contact.name, report_token(node, outcome));
    let prose = Prose::default()
        .heading(say(text!("Hvad kom der ud af det?", "What came of it?")))
        .paragraph(say(text!(
            "Kære {name}\n{organisation} tog for {months} måneder siden løsningen fra »{title}« til sig. Nu vil vi gerne vide, hvad den har givet – også hvis den er droppet.",
            "Dear {name}\n{months} months ago {organisation} took over the solution of “{title}”. Now we would like to know what it brought – also if it was dropped."
        )));
    let expected = adoption.expected.words();
    let prose = expected
        .iter()
        .fold(prose, |prose, words| prose.fact(say(text!("I forventede", "You expected")), words.to(contact.language)));
    let prose = prose.link(
        say(text!("Fortæl, hvad den har givet (to minutter)", "Tell what it brought (two minutes)")),
        node.url(&format!("/api/v1/outcomes/report/{token}")),
    );
    let until = match outcome.state {
        OutcomeState::Asked { asked_at, .. } => copenhagen(asked_at + LINK_LIFETIME).format("%d-%m-%Y").to_string(),
        OutcomeState::PassedOver | OutcomeState::Reported { .. } => String::new(),
    };
    let prose = prose.small(say(text!(
        "Svaret bliver offentligt uden navne på personer. Linket gælder til {until} og kan bruges én gang. Du får mailen, fordi du er {organisation}s kontakt i processen; skriv til CO-PI, hvis det er en anden.",
        "The answer is published without names of persons. The link is good until {until} and can be used once. You get this mail because you are the contact of {organisation} in the process; write to CO-PI if it is somebody else."
    )));
    let subject = match outcome.state {
        OutcomeState::Asked { reminded_at: Some(_), .. } => {
            text!("Påmindelse: Hvad kom der ud af »{title}«?", "Reminder: what came of “{title}”?")
        }
        _ => text!("Hvad kom der ud af »{title}«?", "What came of “{title}”?"),
    };
    Letter::new(to, contact.language, say(subject), prose)
}
