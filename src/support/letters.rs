//! The letters to whoever asked for support.

use super::SupportRequest;
use super::actions::CONFIRMATION_LIFETIME;
use crate::kernel::{Email, Text, text};
use crate::mail::{Letter, Prose};

fn asked(request: &SupportRequest, prose: Prose) -> Prose {
    let say = |text: Text| text.to(request.language).to_owned();
    prose
        .fact(say(text!("Du bad om", "You asked for")), say(request.ask.kind.name()))
        .fact(say(text!("Du skrev", "You wrote")), &request.ask.text)
}

/// Asks whether the request is really from this address.
pub(super) fn confirm(request: &SupportRequest, to: &Email, (url, forget): (String, String)) -> Letter {
    let say = |text: Text| text.to(request.language).to_owned();
    let days = CONFIRMATION_LIFETIME.num_days();
    let subject = say(text!("Bekræft, at du vil have hjælp", "Confirm that you want help"));
    let prose = Prose::default().heading(&subject).paragraph(say(text!(
        "Nogen, sandsynligvis dig, har bedt CO-PI om hjælp fra denne adresse:",
        "Somebody, probably you, asked CO-PI for help from this address:"
    )));
    let prose = asked(request, prose)
        .link(say(text!("Ja, send det til CO-PI", "Yes, send it to CO-PI")), url)
        .link(
            say(text!(
                "Slet spørgsmålet eller din adresse, nu eller senere",
                "Erase the question or your address, now or later"
            )),
            forget,
        )
        .small(say(text!(
            "Linket gælder i {days} dage. Gør du ingenting, bliver spørgsmålet og adressen glemt.",
            "The link is good for {days} days. If you do nothing, the question and the address are forgotten."
        )));
    Letter::new(to, request.language, subject, prose)
}

/// CO-PI's answer.
pub(super) fn answered(request: &SupportRequest, to: &Email, answer: &str) -> Letter {
    let say = |text: Text| text.to(request.language).to_owned();
    let subject = say(text!("Svar fra CO-PI", "An answer from CO-PI"));
    let prose = asked(request, Prose::default().heading(&subject).paragraph(answer)).small(say(text!(
        "Din adresse bliver slettet, når spørgsmålet er lukket.",
        "Your address is erased when the question is closed."
    )));
    Letter::new(to, request.language, subject, prose)
}

/// It is closed without an answer.
pub(super) fn closed(request: &SupportRequest, to: &Email, reason: &str) -> Letter {
    let say = |text: Text| text.to(request.language).to_owned();
    let subject = say(text!("CO-PI kan ikke hjælpe med det lige nu", "CO-PI cannot help with that right now"));
    let prose = asked(request, Prose::default().heading(&subject).paragraph(reason)).small(say(text!(
        "Spørgsmålet tæller med, når CO-PI ser på, hvad der mangler. Din adresse er nu slettet hos os.",
        "The question counts when CO-PI looks at what is missing. Your address is now erased with us."
    )));
    Letter::new(to, request.language, subject, prose)
}
