//! What people are told of their accounts, by mail.

use super::actions::{INVITATION_LIFETIME, RESET_LIFETIME};
use super::link::Link;
use crate::access::store::Account;
use crate::kernel::{Instant, Language, Text, copenhagen_text, text};
use crate::mail::{Letter, Prose};
use crate::organisation::Handover;
use crate::web::Node;

/// To somebody whose account was just made, or who has not chosen a password yet.
pub(super) fn invitation(node: &Node, account: &Account, language: Language, now: Instant) -> Letter {
    let (url, token) = Link::Invitation.draw(node, account, now + INVITATION_LIFETIME);
    let name = &account.person.name;
    let days = INVITATION_LIFETIME.num_days();
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default()
        .heading(say(text!("Velkommen til Skala", "Welcome to Skala")))
        .paragraph(say(text!(
            "Hej {name}\n\nDer er oprettet en konto til dig. Vælg et kodeord via linket; det gælder i {days} dage.",
            "Hello {name}\n\nAn account was made for you. Choose a password by the link; it is good for {days} days."
        )))
        .link(say(text!("Vælg kodeord", "Choose a password")), url)
        .paragraph(by_api(language, "invitations", &token))
        .small(say(text!(
            "Kender du ikke til Skala, kan du se bort fra denne mail; uden kodeord kan kontoen ikke bruges.",
            "If you know nothing of Skala, ignore this mail; without a password the account cannot be used."
        )));
    let subject = text!("Din konto hos Skala", "Your account with Skala");
    Letter::new(&account.email, language, subject.to(language), prose)
}

/// To somebody who wants a new password.
pub(super) fn reset(node: &Node, account: &Account, language: Language, now: Instant) -> Letter {
    let (url, token) = Link::Reset.draw(node, account, now + RESET_LIFETIME);
    let until = copenhagen_text(now + RESET_LIFETIME);
    let (da, en) = (until.da, until.en);
    let name = &account.person.name;
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default()
        .heading(say(text!("Vælg et nyt kodeord", "Choose a new password")))
        .paragraph(say(text!(
            "Hej {name}\n\nNogen, formentlig dig, har bedt om et nyt kodeord til din konto hos Skala. Linket gælder til \
             {da}, og kun én gang.",
            "Hello {name}\n\nSomebody, most likely you, asked for a new password for your account with Skala. The link is \
             good until {en}, and only once."
        )))
        .link(say(text!("Vælg nyt kodeord", "Choose a new password")), url)
        .paragraph(by_api(language, "password-resets", &token))
        .small(say(text!(
            "Har du ikke bedt om det, skal du ikke gøre noget: dit kodeord er det samme som før.",
            "If you did not ask for it, there is nothing to do: your password is what it was."
        )));
    let subject = text!("Nyt kodeord til Skala", "A new password for Skala");
    Letter::new(&account.email, language, subject.to(language), prose)
}

fn by_api(language: Language, resource: &str, token: &str) -> String {
    let words = text!(
        "Bruger du API'et: POST /api/v1/{resource}/accept med {{\"token\": \"{token}\", \"password\": \"…\"}}",
        "If you use the API: POST /api/v1/{resource}/accept with {{\"token\": \"{token}\", \"password\": \"…\"}}"
    );
    words.to(language).to_owned()
}

/// To somebody whose body's work another carries on.
pub(super) fn handed_over(node: &Node, account: &Account, handover: &Handover, language: Language) -> Letter {
    let (name, from, to) = (&account.person.name, &handover.from.body.name, &handover.to.body.name);
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default()
        .heading(say(text!("I hører nu til {to}", "You now belong to {to}")))
        .paragraph(say(text!(
            "Hej {name}\n\n{to} fører videre, hvad {from} havde hos Skala: udfordringer, tilkendegivelser, tilsagn og \
             deltagelse i processer, alt med sin historie. Din konto, dit kodeord og dine API-nøgler virker som før.",
            "Hello {name}\n\n{to} carries on what {from} had with Skala: challenges, recognitions, commitments and parts in \
             processes, all with their history. Your account, your password and your API keys work as before."
        )))
        .link(say(text!("Se, hvad der venter på jer", "See what waits for you")), node.url("/api/v1/todo"));
    let subject = text!("{from} er nu {to} hos Skala", "{from} is now {to} with Skala");
    Letter::new(&account.email, language, subject.to(language), prose)
}

/// To somebody whose password was changed: should it have been another, they hear of it at once.
pub(super) fn password_changed(node: &Node, account: &Account, language: Language, now: Instant) -> Letter {
    let at = copenhagen_text(now);
    let (da, en) = (at.da, at.en);
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default()
        .heading(say(text!("Dit kodeord er ændret", "Your password was changed")))
        .paragraph(say(text!(
            "Kodeordet til din konto hos Skala blev ændret {da}, og du er logget ud alle andre steder.",
            "The password of your account with Skala was changed on {en}, and you are signed out everywhere else."
        )))
        .link(
            say(text!("Var det ikke dig, så vælg et nyt her", "If it was not you, choose a new one here")),
            node.url("/api/v1/password-resets"),
        );
    let subject = text!("Dit kodeord til Skala er ændret", "Your password for Skala was changed");
    Letter::new(&account.email, language, subject.to(language), prose)
}
