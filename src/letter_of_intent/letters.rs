//! The letters about letters of intent.

use super::{Kind, LetterOfIntent, Signatory, SignatoryState};
use crate::kernel::{Email, SealedFor, Text, copenhagen_text, text};
use crate::mail::{Letter, Prose};
use crate::process::Process;
use crate::web::Node;

/// Why somebody is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    First,
    NewText,
    Reminder,
}

/// What somebody signs, in words.
pub(super) fn what(kind: Kind) -> Text {
    match kind {
        Kind::Letter => text!("Hensigtserklæring", "Letter of intent"),
        Kind::Addendum => text!("Tillæg til hensigtserklæring", "Addendum to a letter of intent"),
        Kind::Declaration => text!("Partnererklæring", "Partner declaration"),
    }
}

/// The token of the link by which somebody who was asked signs exactly this text.
pub(super) fn token(node: &Node, letter: &LetterOfIntent, one: &Signatory) -> Option<String> {
    let SignatoryState::Asked { until, .. } = one.state else { return None };
    Some(node.seal.token(SealedFor::SignLetter, one.id, Some(until), &one.bound_to(letter)))
}

pub(super) fn please_sign(
    node: &Node,
    process: &Process,
    letter: &LetterOfIntent,
    one: &Signatory,
    why: Asking,
) -> Option<Letter> {
    let to = Email::parse(&one.email)?;
    let SignatoryState::Asked { until, .. } = one.state else { return None };
    let say = |text: Text| text.to(one.language).to_owned();
    let token = token(node, letter, one)?;
    let (name, organisation, process) = (&one.name, &one.organisation, &process.body.title);
    let asked = match why {
        Asking::First => text!(
            "Kære {name}\nDu er nævnt som den, der underskriver for {organisation} i skaleringsprocessen »{process}«.",
            "Dear {name}\nYou are named as the one who signs for {organisation} in the scaling process “{process}”."
        ),
        Asking::NewText => text!(
            "Kære {name}\nTeksten, du skulle underskrive for {organisation}, er ændret. Det gamle link virker ikke mere; her er den nye tekst.",
            "Dear {name}\nThe text that you were to sign for {organisation} has changed. The old link works no more; here is the new text."
        ),
        Asking::Reminder => text!(
            "Kære {name}\nVi mangler stadig {organisation}s svar i skaleringsprocessen »{process}«.",
            "Dear {name}\nThe answer of {organisation} in the scaling process “{process}” is still missing."
        ),
    };
    let Text { da, en } = copenhagen_text(until);
    let prose = Prose::default()
        .heading(say(what(one.kind)))
        .paragraph(say(asked))
        .fact(say(text!("Frist", "Deadline")), say(Text { da, en }))
        .fact("SHA-256", one.sha256(letter))
        .link(
            say(text!("Læs teksten, og underskriv eller afslå", "Read the text, and sign or decline")),
            node.url(&format!("/api/v1/letters-of-intent/sign/{token}")),
        )
        .small(say(text!(
            "Linket er personligt, kan bruges én gang og gælder kun præcis denne tekst. Send det ikke videre.",
            "The link is personal, can be used once and is for exactly this text. Do not pass it on."
        )));
    let subject = match (why, say(what(one.kind))) {
        (Asking::Reminder, what) => say(text!("Påmindelse: {what} til underskrift", "Reminder: {what} to sign")),
        (Asking::NewText, what) => say(text!("Ny tekst: {what} til underskrift", "New text: {what} to sign")),
        (Asking::First, what) => say(text!("{what} til underskrift", "{what} to sign")),
    };
    Some(Letter::new(&to, one.language, subject, prose))
}

/// What was answered, when, and to which text.
pub(super) fn receipt(node: &Node, process: &Process, letter: &LetterOfIntent, one: &Signatory) -> Option<Letter> {
    let to = Email::parse(&one.email)?;
    let say = |text: Text| text.to(one.language).to_owned();
    let (subject, at, reason) = match &one.state {
        SignatoryState::Signed { at, .. } => (text!("Du har underskrevet", "You have signed"), *at, None),
        SignatoryState::Declined { at, reason } => (text!("Du har afslået", "You have declined"), *at, Some(reason)),
        _ => return None,
    };
    let prose = Prose::default()
        .heading(say(subject.clone()))
        .fact(say(text!("Hvad", "What")), say(what(one.kind)))
        .fact(say(text!("Proces", "Process")), &process.body.title)
        .fact(say(text!("For", "For")), &one.organisation)
        .fact(say(text!("Af", "By")), format!("{}, {}", one.name, one.title))
        .fact(say(text!("Tidspunkt", "When")), say(copenhagen_text(at)))
        .fact("SHA-256", one.sha256(letter));
    let prose = match reason {
        Some(reason) => prose.fact(say(text!("Begrundelse", "Reason")), reason),
        None => prose.paragraph(one.signs(letter)).link(
            say(text!("Se erklæringen og hvem der har underskrevet", "See the letter and who has signed")),
            node.url(&format!("/api/v1/letters-of-intent/{}", letter.id)),
        ),
    };
    let prose = prose.small(say(text!(
        "Er det ikke dig, så skriv straks til CO-PI.",
        "If this was not you, write to CO-PI at once."
    )));
    Some(Letter::new(&to, one.language, say(subject), prose))
}

/// Tells somebody who was asked or has signed that the letter is withdrawn.
pub(super) fn withdrawn(node: &Node, letter: &LetterOfIntent, one: &Signatory) -> Option<Letter> {
    if !matches!(one.state, SignatoryState::Asked { .. } | SignatoryState::Signed { .. }) {
        return None;
    }
    let to = Email::parse(&one.email)?;
    let say = |text: Text| text.to(one.language).to_owned();
    let subject = text!("Hensigtserklæringen er trukket tilbage", "The letter of intent is withdrawn");
    let prose = Prose::default()
        .heading(say(subject.clone()))
        .fact(say(text!("Erklæring", "Letter")), &letter.document.title)
        .fact(say(text!("Begrundelse", "Reason")), letter.withdrawn_reason.clone().unwrap_or_default())
        .link(
            say(text!("Se erklæringen", "See the letter")),
            node.url(&format!("/api/v1/letters-of-intent/{}", letter.id)),
        )
        .small(say(text!(
            "Der skal ikke underskrives mere, og de underskrifter, der er givet, gælder ikke længere.",
            "Nobody need sign any more, and the signatures that were given no longer stand."
        )));
    Some(Letter::new(&to, one.language, say(subject), prose))
}
