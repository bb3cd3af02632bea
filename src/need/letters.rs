//! The letters to whoever left a need and an address: what became of it, and how to hear no more.

use super::{Inbox, Need};
use crate::kernel::{Email, Text, text};
use crate::mail::{Letter, Prose};

/// What there is to tell.
pub(super) enum News<'a> {
    Received,
    Gathered { challenge: &'a str },
    InProcess { process: &'a str, url: String },
    Answered { answer: &'a str },
    SetAside { reason: &'a str },
}

/// A letter about a need to its sender. `follow` is the page that shows what became of it and forgets on demand.
pub(super) fn about(need: &Need, to: &Email, inbox: &Inbox, body: &str, news: &News<'_>, follow: String) -> Letter {
    let say = |text: Text| text.to(need.language).to_owned();
    let subject = say(match news {
        News::Received => text!("Vi har modtaget dit behov", "We have received your need"),
        News::Gathered { .. } => {
            text!("Dit behov er blevet en del af en udfordring", "Your need is part of a challenge")
        }
        News::InProcess { .. } => {
            text!("Dit behov er nået til en skaleringsproces", "Your need has reached a scaling process")
        }
        News::Answered { .. } => text!("Svar på dit behov", "An answer to your need"),
        News::SetAside { .. } => text!("Dit behov er lagt til side", "Your need has been set aside"),
    });
    let prose = Prose::default().heading(&subject);
    let prose = match news {
        News::Received => prose.paragraph(say(text!(
            "{body} læser det og samler det med andre, der ligner. Du får en mail, når der sker noget med det.",
            "{body} reads it and gathers it with others like it. A mail comes when something happens to it."
        ))),
        News::Gathered { challenge } => prose
            .paragraph(say(text!(
                "Flere har det samme behov. {body} har samlet dem i én udfordring:",
                "Others have the same need. {body} has gathered them into one challenge:"
            )))
            .fact(say(text!("Udfordring", "Challenge")), *challenge),
        News::InProcess { process, url } => prose
            .paragraph(say(text!(
                "Udfordringen, som dit behov er en del af, er nu med i en skaleringsproces, hvor flere offentlige organisationer går sammen.",
                "The challenge that your need is part of is now in a scaling process, where several public bodies join forces."
            )))
            .link(*process, url),
        News::Answered { answer } => prose
            .paragraph(say(text!("{body} svarer:", "{body} answers:")))
            .paragraph(*answer),
        News::SetAside { reason } => prose
            .paragraph(say(text!("{body} går ikke videre med det, fordi:", "{body} does not go on with it, because:")))
            .paragraph(*reason),
    };
    let prose = prose
        .fact(say(text!("Du skrev", "You wrote")), excerpt(&need.told.what))
        .fact(say(text!("Til", "To")), &inbox.title)
        .link(
            say(text!("Se, hvad der er sket, eller få det slettet", "See what has happened, or have it erased")),
            follow,
        )
        .small(say(text!(
            "Mailen kommer, fordi adressen blev skrevet sammen med behovet. Var det ikke dig, så slet den via linket.",
            "This mail comes because the address was left with the need. If that was not you, erase it by the link."
        )));
    Letter::new(to, need.language, subject, prose)
}

/// The beginning of a text, on one line.
fn excerpt(words: &str) -> String {
    const MOST: usize = 160;
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST).chain(['…']).collect() }
}
