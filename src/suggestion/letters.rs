//! The letters about a suggestion: to whoever made it, and to the body that is invited to own it.

use super::Suggestion;
use super::actions::{CONFIRMATION_LIFETIME, INVITATION_LIFETIME};
use crate::criteria::Call;
use crate::kernel::{Email, Language, Text, text};
use crate::mail::{Letter, Prose};

/// Asks whether the suggestion is really from this address.
pub(super) fn confirm(suggestion: &Suggestion, to: &Email, call: &Call, (url, forget): (String, String)) -> Letter {
    let say = |text: Text| text.to(suggestion.language).to_owned();
    let days = CONFIRMATION_LIFETIME.num_days();
    let subject = say(text!("Bekræft dit forslag", "Confirm your suggestion"));
    let prose = Prose::default()
        .heading(&subject)
        .paragraph(say(text!(
            "Nogen, sandsynligvis dig, har skrevet et forslag fra denne adresse:",
            "Somebody, probably you, made a suggestion from this address:"
        )))
        .fact(say(text!("Indkaldelse", "Call")), &call.body.title)
        .paragraph(&suggestion.told.what)
        .link(say(text!("Ja, send forslaget til CO-PI", "Yes, send the suggestion to CO-PI")), url)
        .link(
            say(text!(
                "Slet forslaget eller din adresse, nu eller senere",
                "Erase the suggestion or your address, now or later"
            )),
            forget,
        )
        .small(say(text!(
            "Linket gælder i {days} dage. Gør du ingenting, bliver forslaget og adressen glemt.",
            "The link is good for {days} days. If you do nothing, the suggestion and the address are forgotten."
        )));
    Letter::new(to, suggestion.language, subject, prose)
}

/// How it ended.
pub(super) enum End<'a> {
    /// A body owns it now.
    Accepted {
        body: &'a str,
    },
    SetAside {
        reason: &'a str,
    },
}

/// Tells whoever made the suggestion how it ended; it is the last letter.
pub(super) fn ended(suggestion: &Suggestion, to: &Email, call: &Call, end: &End<'_>) -> Letter {
    let say = |text: Text| text.to(suggestion.language).to_owned();
    let (subject, words) = match end {
        End::Accepted { body } => (
            say(text!("Dit forslag er blevet en udfordring", "Your suggestion has become a challenge")),
            say(text!(
                "{body} har taget det på sig og arbejder videre med det som sin udfordring.",
                "{body} has taken it on and goes on with it as its own challenge."
            )),
        ),
        End::SetAside { reason } => (
            say(text!("Dit forslag er lagt til side", "Your suggestion has been set aside")),
            say(text!("CO-PI går ikke videre med det: {reason}", "CO-PI does not go on with it: {reason}")),
        ),
    };
    let prose = Prose::default()
        .heading(&subject)
        .paragraph(words)
        .fact(say(text!("Indkaldelse", "Call")), &call.body.title)
        .fact(say(text!("Du foreslog", "You suggested")), &suggestion.told.what)
        .small(say(text!(
            "Det er den sidste mail om forslaget. Din adresse er nu slettet hos os.",
            "This is the last mail about the suggestion. Your address is now erased with us."
        )));
    Letter::new(to, suggestion.language, subject, prose)
}

/// Asks a body to own it.
pub(super) fn invitation(
    to: &Email,
    language: Language,
    suggestion: &Suggestion,
    call: &Call,
    (body, note): (&str, &str),
    url: String,
) -> Letter {
    let say = |text: Text| text.to(language).to_owned();
    let days = INVITATION_LIFETIME.num_days();
    let subject = say(text!(
        "CO-PI har fået et forslag, som kunne være jeres udfordring",
        "CO-PI has a suggestion that could be your challenge"
    ));
    let prose = Prose::default()
        .heading(&subject)
        .paragraph(say(text!(
            "Nogen har skrevet til CO-PI om et problem, som {body} måske kender. Vil I eje det som jeres udfordring?",
            "Somebody wrote to CO-PI about a problem that {body} may know. Will you own it as your challenge?"
        )))
        .fact(say(text!("Indkaldelse", "Call")), &call.body.title)
        .paragraph(&suggestion.told.what);
    let prose = if note.is_empty() { prose } else { prose.fact(say(text!("CO-PI skriver", "CO-PI writes")), note) };
    let prose = prose
        .link(say(text!("Se forslaget, og svar ja eller nej", "See the suggestion, and answer yes or no")), url)
        .small(say(text!(
            "Linket gælder i {days} dage og kun for denne invitation. Svarer I ja, får I en kladde, som I retter og indsender, når I vil.",
            "The link is good for {days} days and for this invitation alone. If you say yes, you get a draft that you mend and submit when you like."
        )));
    Letter::new(to, language, subject, prose)
}
