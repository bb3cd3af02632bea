//! The letters to people who ask and sign up.

use chrono::TimeDelta;

use crate::dialogue::{
    Dialogue, Event, Question, QuestionState, Signup, SignupState, WrittenAnswer, nobody_is_bound, taking_part_is_free,
};
use crate::kernel::{Email, Instant, Language, SealedFor, Text, copenhagen_text, text};
use crate::mail::{Letter, Prose};
use crate::web::Node;

/// How long the link in a confirmation is good for.
const LINK_LIFETIME: TimeDelta = TimeDelta::days(7);

pub(super) fn confirm_question(
    node: &Node,
    dialogue: &Dialogue,
    question: &Question,
    to: &Email,
    now: Instant,
) -> Letter {
    let say = |text: Text| text.to(question.language).to_owned();
    let until = Some(now + LINK_LIFETIME);
    let token = node.seal.token(SealedFor::ConfirmQuestion, question.id, until, question.state.word());
    let title = &dialogue.notice.title;
    let prose = Prose::default()
        .heading(say(text!("Er spørgsmålet dit?", "Is this question yours?")))
        .paragraph(say(text!("Der er stillet et spørgsmål til markedsdialogen »{title}« fra din mailadresse:", "A question to the market dialogue “{title}” was asked from your address:")))
        .paragraph(&question.text)
        .link(say(text!("Ja, stil spørgsmålet", "Yes, ask it")), node.url(&format!("/api/v1/questions/confirm/{token}")))
        .paragraph(say(text!(
            "Spørgsmål og svar vises for alle. Dit navn og din adresse vises ikke: du optræder som »Leverandør« og et nummer.",
            "Question and answer are shown to everybody. Your name and address are not: you appear as “Supplier” and a number."
        )))
        .small(say(text!(
            "Er det ikke dig, så gør ingenting: uden bekræftelse bliver spørgsmålet slettet efter 7 dage.",
            "If it is not yours, do nothing: without confirmation the question is deleted after 7 days."
        )));
    Letter::new(to, question.language, say(text!("Bekræft dit spørgsmål", "Confirm your question")), prose)
}

pub(super) fn answered(node: &Node, dialogue: &Dialogue, question: &Question, to: &Email) -> Letter {
    let say = |text: Text| text.to(question.language).to_owned();
    let title = &dialogue.notice.title;
    let prose =
        Prose::default().heading(title).paragraph(say(text!("Du spurgte:", "You asked:"))).paragraph(&question.text);
    let prose = match &question.state {
        QuestionState::Answered { answer, .. } => prose
            .paragraph(say(text!("Svaret, som alle kan læse:", "The answer, which everybody can read:")))
            .paragraph(answer),
        QuestionState::Rejected { reason, .. } => prose
            .paragraph(say(text!(
                "Spørgsmålet bliver ikke besvaret. Begrundelse:",
                "The question will not be answered. The reason:"
            )))
            .paragraph(reason),
        QuestionState::Unconfirmed | QuestionState::Asked => prose,
    };
    let pseudonym = question.pseudonym();
    let name = pseudonym.to(question.language);
    let prose = prose.link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, dialogue)).small(
        say(text!(
            "Du får mailen, fordi du stillede spørgsmålet. I dialogen optræder du som {name}.",
            "You get this mail because you asked the question. In the dialogue you appear as {name}."
        )),
    );
    Letter::new(to, question.language, say(text!("Svar på dit spørgsmål", "An answer to your question")), prose)
}

/// What was received, when, and whether in time.
pub(super) fn receipt(node: &Node, dialogue: &Dialogue, answer: &WrittenAnswer, to: &Email) -> Letter {
    let say = |text: Text| text.to(answer.language).to_owned();
    let in_time = if answer.late {
        text!("efter svarfristen", "after the deadline")
    } else {
        text!("inden svarfristen", "before the deadline")
    };
    let prose = Prose::default()
        .heading(say(text!("Kvittering for dit svar", "Receipt for your answer")))
        .fact(say(text!("Markedsdialog", "Market dialogue")), &dialogue.notice.title)
        .fact(say(text!("Virksomhed", "Company")), &answer.company)
        .fact(say(text!("Modtaget", "Received")), say(copenhagen_text(answer.received_at)))
        .fact(say(text!("Rettidigt", "In time")), say(in_time))
        .fact("SHA-256", answer.receipt())
        .link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, dialogue))
        .paragraph(say(taking_part_is_free()))
        .paragraph(say(nobody_is_bound()));
    let contact = dialogue.notice.contact.line();
    let prose = prose.small(say(text!(
        "Har du ikke sendt et svar, så skriv til {contact}.",
        "If you sent no answer, write to {contact}."
    )));
    Letter::new(to, answer.language, say(text!("Kvittering for dit svar", "Receipt for your answer")), prose)
}

pub(super) fn confirm_signup(node: &Node, dialogue: &Dialogue, event: &Event, signup: &Signup, now: Instant) -> Letter {
    let say = |text: Text| text.to(signup.language).to_owned();
    let token = node.seal.token(SealedFor::ConfirmSignup, signup.id, Some(now + LINK_LIFETIME), signup.state.word());
    let company = &signup.company;
    let prose = Prose::default().heading(say(text!("Bekræft din tilmelding", "Confirm your sign-up"))).paragraph(say(
        text!("{company} er tilmeldt fra din mailadresse:", "{company} was signed up from your address:"),
    ));
    let prose = describe(prose, dialogue, event, signup.slot, signup.language);
    let seat = match signup.held_until {
        Some(until) => {
            let Text { da, en } = copenhagen_text(until);
            text!("Pladsen holdes til {da}", "The seat is kept until {en}")
        }
        None => text!(
            "Alle pladser er taget lige nu. Bekræft, og du kommer på ventelisten",
            "All seats are taken right now. Confirm, and you join the waiting list"
        ),
    };
    let prose = prose
        .paragraph(say(seat))
        .link(
            say(text!("Bekræft tilmeldingen", "Confirm the sign-up")),
            node.url(&format!("/api/v1/signups/confirm/{token}")),
        )
        .small(say(text!(
            "Er det ikke dig, så gør ingenting: uden bekræftelse bliver tilmeldingen slettet efter 7 dage.",
            "If it is not you, do nothing: without confirmation the sign-up is deleted after 7 days."
        )));
    letter(signup, say(text!("Bekræft din tilmelding", "Confirm your sign-up")), prose)
}

/// How the sign-up stands: a seat, or a place on the waiting list.
pub(super) fn signed_up(node: &Node, dialogue: &Dialogue, event: &Event, signup: &Signup) -> Letter {
    let say = |text: Text| text.to(signup.language).to_owned();
    let token = node.seal.token(SealedFor::CancelSignup, signup.id, None, "");
    let heading = if signup.state == SignupState::Confirmed {
        text!("Du har en plads", "You have a seat")
    } else {
        text!("Du er på ventelisten", "You are on the waiting list")
    };
    let prose = describe(Prose::default().heading(say(heading.clone())), dialogue, event, signup.slot, signup.language);
    let prose = match (&event.url, signup.state) {
        (Some(url), SignupState::Confirmed) => prose.link(say(text!("Deltag her", "Join here")), url),
        _ => prose,
    };
    let prose = prose
        .link(say(text!("Meld fra", "Give the seat back")), node.url(&format!("/api/v1/signups/cancel/{token}")))
        .link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, dialogue))
        .paragraph(say(taking_part_is_free()))
        .paragraph(say(nobody_is_bound()));
    letter(signup, say(heading), because_signed_up(prose, signup.language))
}

/// The event to which somebody signed up is another now: all of it anew, and how the sign-up stands.
pub(super) fn event_changed(node: &Node, dialogue: &Dialogue, event: &Event, signup: &Signup) -> Letter {
    let say = |text: Text| text.to(signup.language).to_owned();
    let heading = say(text!("Mødet er ændret", "The event has changed"));
    let state = if signup.state == SignupState::Confirmed {
        text!("Du har stadig din plads.", "You still have your seat.")
    } else {
        text!("Du er på ventelisten.", "You are on the waiting list.")
    };
    let token = node.seal.token(SealedFor::CancelSignup, signup.id, None, "");
    let prose = describe(Prose::default().heading(&heading), dialogue, event, signup.slot, signup.language)
        .paragraph(say(state))
        .link(say(text!("Meld fra", "Give the seat back")), node.url(&format!("/api/v1/signups/cancel/{token}")))
        .link(say(text!("Se, hvad der er ændret", "See what has changed")), page(node, dialogue));
    letter(signup, heading, because_signed_up(prose, signup.language))
}

/// The event to which somebody signed up does not take place.
pub(super) fn event_gone(node: &Node, dialogue: &Dialogue, event: &Event, signup: &Signup) -> Letter {
    let say = |text: Text| text.to(signup.language).to_owned();
    let heading = say(text!("Mødet er aflyst", "The event is cancelled"));
    let prose = describe(Prose::default().heading(&heading), dialogue, event, signup.slot, signup.language)
        .link(say(text!("Se hvorfor", "See why")), page(node, dialogue));
    letter(signup, heading, because_signed_up(prose, signup.language))
}

fn because_signed_up(prose: Prose, language: Language) -> Prose {
    let why = text!(
        "Du får mailen, fordi du har tilmeldt dig mødet.",
        "You get this mail because you signed up to the event."
    );
    prose.small(why.to(language))
}

fn describe(prose: Prose, dialogue: &Dialogue, event: &Event, slot: Option<Instant>, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let prose = prose
        .fact(say(text!("Markedsdialog", "Market dialogue")), &dialogue.notice.title)
        .fact(say(text!("Møde", "Event")), &event.title)
        .fact(say(text!("Begynder", "Begins")), say(copenhagen_text(slot.unwrap_or(event.starts_at))));
    let prose = prose.fact(say(text!("Slutter", "Ends")), say(copenhagen_text(event.ends_at)));
    match &event.place {
        Some(place) => prose.fact(say(text!("Sted", "Place")), place),
        None => prose,
    }
}

fn letter(signup: &Signup, subject: String, prose: Prose) -> Letter {
    Letter { to: signup.email.clone(), language: signup.language, subject, prose, one_click: None }
}

fn page(node: &Node, dialogue: &Dialogue) -> String {
    node.url(&format!("/dialogues/{}", dialogue.id))
}
