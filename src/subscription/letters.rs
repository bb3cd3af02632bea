//! The letters to subscribers about their subscription itself.

use super::actions::{CONFIRMATION_LIFETIME, manage_url};
use super::{Names, Subscription};
use crate::kernel::{Email, Instant, Language, SealedFor, Text, text};
use crate::mail::{Letter, Prose};
use crate::web::Node;

/// Asks whether the subscription is wanted (double opt-in).
pub(super) fn confirm(node: &Node, subscription: &Subscription, now: Instant, names: &Names) -> Letter {
    let say = |text: Text| text.to(subscription.body.language).to_owned();
    let until = Some(now + CONFIRMATION_LIFETIME);
    let state = subscription.state.word();
    let token = node.seal.token(SealedFor::ConfirmSubscription, subscription.id, until, state);
    let prose = Prose::default()
        .heading(say(text!("Vil du have mail om markedsdialoger?", "Do you want mail about market dialogues?")))
        .paragraph(say(text!(
            "Nogen, sandsynligvis dig, har bedt om mail fra Skala til denne adresse:",
            "Somebody, probably you, asked for mail from Skala to this address:"
        )));
    let prose = describe(prose, subscription, names)
        .paragraph(&subscription.consent.text)
        .link(
            say(text!("Ja, jeg vil have mails", "Yes, send me mail")),
            node.url(&format!("/api/v1/subscriptions/confirm/{token}")),
        )
        .small(say(text!(
            "Linket gælder i 7 dage. Gør du ingenting, får du ikke flere mails, og adressen bliver glemt.",
            "The link is good for 7 days. If you do nothing, no more mail comes, and the address is forgotten."
        )));
    let subject = say(text!("Bekræft dit abonnement", "Confirm your subscription"));
    Letter::new(&subscription.email, subscription.body.language, subject, prose)
}

/// Tells somebody who asks again that the subscription is there already.
pub(super) fn already(node: &Node, subscription: &Subscription, names: &Names) -> Letter {
    let say = |text: Text| text.to(subscription.body.language).to_owned();
    let prose = Prose::default().heading(say(text!("Du abonnerer allerede", "You subscribe already")));
    let prose = describe(prose, subscription, names)
        .link(
            say(text!("Se eller ret abonnementet", "See or change the subscription")),
            manage_url(node, subscription.id),
        )
        .small(say(text!(
            "Du får mailen, fordi nogen bad om det samme abonnement til din adresse igen.",
            "You get this mail because somebody asked for the same subscription to your address again."
        )));
    let subject = say(text!("Du abonnerer allerede", "You subscribe already"));
    Letter::new(&subscription.email, subscription.body.language, subject, prose)
}

/// Tells somebody who asks for one more that there are as many as there can be.
pub(super) fn enough(node: &Node, known: &[Subscription], to: &Email, language: Language, names: &Names) -> Letter {
    let say = |text: Text| text.to(language).to_owned();
    let count = known.len();
    let heading = say(text!("Du har {count} abonnementer", "You have {count} subscriptions"));
    let prose = Prose::default().heading(&heading).paragraph(say(text!(
        "Der kan ikke være flere til én adresse. Slet et, du ikke bruger, eller saml flere filtre i ét:",
        "There cannot be more to one address. Erase one that you do not use, or gather several filters in one:"
    )));
    let prose = known.iter().fold(prose, |prose, one| {
        let words: Vec<String> = one.body.filter.words(names).iter().map(|line| line.to(language).to_owned()).collect();
        prose.link(words.join("; "), manage_url(node, one.id))
    });
    Letter::new(to, language, heading, prose)
}

fn describe(prose: Prose, subscription: &Subscription, names: &Names) -> Prose {
    let language = subscription.body.language;
    let prose = subscription.body.filter.words(names).iter().fold(prose, |prose, line| prose.item(line.to(language)));
    let name = text!("Mails kommer", "Mail comes");
    prose.fact(name.to(language), subscription.body.frequency.words().to(language))
}
