//! The page of a market dialogue: what the market is told, and all that a supplier can do about it.

use actix_web::get;
use actix_web::web::Path;

use super::process::public_title;
use super::{forms, page};
use crate::access::Context;
use crate::db::AnyConnection;
use crate::dialogue::{
    Dialogue, Document, Event, LeadBuyers, Notice, Question, QuestionState, Signup, SignupState, State, Status,
    Version, VersionKind, difference, event_line, nobody_is_bound, store, taking_part_is_free,
};
use crate::kernel::{Id, Instant, Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::organisation;
use crate::web::{HtmlPage, PathId, Problem};

/// All that the page shows.
pub(super) struct Shown {
    pub(super) dialogue: Dialogue,
    process_title: Option<String>,
    lead_buyer: Option<String>,
    versions: Vec<Version>,
    lead_buyers: LeadBuyers,
    questions: Vec<Question>,
    pub(super) signups: Vec<Signup>,
    pub(super) now: Instant,
}

impl Shown {
    /// A dialogue that the market has seen.
    pub(super) fn find(connection: &mut AnyConnection, id: Id<Dialogue>, now: Instant) -> Result<Self, Problem> {
        let found = store::find(connection, id, now)?;
        let seen = found.filter(|dialogue| dialogue.state.published().is_some());
        let dialogue = seen.ok_or_else(Problem::not_found)?;
        let lead = dialogue.notice.lead_buyer_id;
        let lead = lead.map(|lead| organisation::store::find(connection, lead)).transpose()?.flatten();
        let versions = store::versions(connection, id, now)?;
        Ok(Self {
            process_title: public_title(connection, dialogue.process_id)?,
            lead_buyer: lead.map(|lead| lead.body.name),
            lead_buyers: store::lead_buyers(connection, &versions)?,
            versions,
            questions: store::questions(connection, id)?,
            signups: store::signups(connection, id)?,
            dialogue,
            now,
        })
    }

    /// Where the page is.
    pub(super) fn path(&self) -> String {
        format!("/dialogues/{}", self.dialogue.id)
    }

    /// How many seats are free at an event, and how many wait; none where there is no bound.
    fn seats_left(&self, event: &Event) -> Option<(usize, usize)> {
        let of_event = || self.signups.iter().filter(|one| Some(one.event_id) == event.id);
        let taken = of_event().filter(|one| one.takes_seat(self.now)).count();
        let waiting = of_event().filter(|one| one.state == SignupState::Waiting).count();
        event.capacity().map(|seats| (seats.saturating_sub(taken), waiting))
    }
}

/// A market dialogue as a page: the notice, its questions and answers, events, versions, and the forms for asking, signing
/// up, answering and following.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json")))))]
#[get("/dialogues/{id}")]
pub(super) async fn show_dialogue(context: Context, id: PathId<Dialogue>) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let shown = context.db.read(move |connection| Shown::find(connection, id.0, now)).await;
    HtmlPage::of(shown.map(|shown| draw(&shown, language)), language)
}

fn draw(shown: &Shown, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let notice = &shown.dialogue.notice;
    let is_open = shown.dialogue.state.status() == Status::Published;
    let mut drawn = HtmlPage::new(language, &notice.title, &head(shown, language));
    if let Some(title) = &shown.process_title {
        let words = say(text!("Skaleringsprocessen: {title}", "The scaling process: {title}"));
        drawn = drawn.links(&[(words, format!("/processes/{}", shown.dialogue.process_id))]);
    }
    drawn = drawn
        .section("needs", &say(text!("Behovet", "The needs")))
        .words(&Prose::default().paragraph(&notice.description))
        .words(&asked(notice, language));
    drawn = events(drawn, shown, language);
    drawn = documents(drawn, &notice.documents, language);
    drawn = answers(drawn, shown, language);
    if is_open {
        drawn = forms::all(drawn, shown, language);
    }
    drawn = versions(drawn, shown, language);
    let statements = Prose::default().paragraph(say(taking_part_is_free())).paragraph(say(nobody_is_bound()));
    page(drawn.section("rules", &say(text!("Vilkår", "Terms"))).words(&statements), language)
}

/// What stands on top: where it stands, and until when.
fn head(shown: &Shown, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let Dialogue { notice, state, .. } = &shown.dialogue;
    let words = match state {
        State::Draft | State::Scheduled { .. } => text!("Kladde", "Draft"),
        State::Published { .. } if notice.answer_deadline < shown.now => {
            text!(
                "Svarfristen er passeret; svar modtages stadig og mærkes som for sene",
                "The answer deadline has passed; answers are still received and marked as late"
            )
        }
        State::Published { .. } => text!("Åben", "Open"),
        State::Closed { .. } => text!("Afsluttet", "Closed"),
        State::Cancelled { .. } => text!("Aflyst", "Cancelled"),
    };
    let mut prose = Prose::default().fact(say(text!("Status", "Status")), say(words));
    if let Some((at, number)) = state.published() {
        prose = prose
            .fact(say(text!("Offentliggjort", "Published")), say(copenhagen_text(at)))
            .fact(say(text!("Udgave", "Version")), number.to_string());
    }
    if let Some(at) = notice.question_deadline {
        prose = prose.fact(say(text!("Spørgefrist", "Question deadline")), say(copenhagen_text(at)));
    }
    prose = prose.fact(say(text!("Svarfrist", "Answer deadline")), say(copenhagen_text(notice.answer_deadline)));
    if let Some(lead) = &shown.lead_buyer {
        prose = prose.fact(say(text!("Ledende køber", "Lead buyer")), lead);
    }
    prose = prose.fact(say(text!("Kontakt", "Contact")), notice.contact.line());
    let lists = [
        (text!("CPV-koder", "CPV codes"), &notice.cpv),
        (text!("Steder", "Places"), &notice.nuts),
        (text!("Temaer", "Themes"), &notice.themes),
        (text!("Svar kan skrives på", "Answers may be written in"), &notice.languages),
    ];
    for (name, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
        prose = prose.fact(say(name), items.join(", "));
    }
    match state {
        State::Closed { summary, .. } => prose.heading(say(text!("Det hørte vi", "What was heard"))).paragraph(summary),
        State::Cancelled { reason, .. } => {
            prose.heading(say(text!("Hvorfor den er aflyst", "Why it is cancelled"))).paragraph(reason)
        }
        _ => prose,
    }
}

fn asked(notice: &Notice, language: Language) -> Prose {
    let heading = text!("Spørgsmål til markedet", "Questions to the market");
    let prose = Prose::default();
    if notice.questions.is_empty() {
        return prose;
    }
    notice.questions.iter().fold(prose.heading(heading.to(language)), Prose::item)
}

fn events(drawn: HtmlPage, shown: &Shown, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let events = &shown.dialogue.notice.events;
    if events.is_empty() {
        return drawn;
    }
    let words = events.iter().fold(Prose::default(), |prose, event| {
        let free = match shown.seats_left(event) {
            Some((left, waiting)) => text!("; {left} ledige, {waiting} venter", "; {left} free, {waiting} waiting"),
            None => text!("", ""),
        };
        prose.item(format!("{}{}", event_line(event).to(language), free.to(language)))
    });
    let calendar = say(text!("Møderne som kalender (.ics)", "The events as a calendar (.ics)"));
    drawn
        .section("events", &say(text!("Møder", "Events")))
        .words(&words)
        .links(&[(calendar, format!("/feeds/events.ics?dialogue_id={}", shown.dialogue.id))])
}

fn documents(drawn: HtmlPage, documents: &[Document], language: Language) -> HtmlPage {
    if documents.is_empty() {
        return drawn;
    }
    let say = |text: Text| text.to(language).to_owned();
    let links: Vec<_> = documents.iter().map(|one| (one.title.clone(), one.url.clone())).collect();
    let hashes = documents.iter().fold(Prose::default(), |prose, one| prose.fact(&one.title, one.proof(language)));
    let words = text!(
        "Sammenlign fingeraftrykket (SHA-256) med din kopi for at se, at alle læser det samme.",
        "Compare the fingerprint (SHA-256) with your copy to see that all read the same."
    );
    drawn
        .section("documents", &say(text!("Dokumenter", "Documents")))
        .links(&links)
        .words(&hashes)
        .words(&Prose::default().paragraph(say(words)))
}

fn answers(drawn: HtmlPage, shown: &Shown, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let mut prose = Prose::default();
    for question in &shown.questions {
        let QuestionState::Answered { answer, answered_at } = &question.state else { continue };
        let at = copenhagen_text(*answered_at);
        let (name, at) = (say(question.pseudonym()), at.to(language));
        prose = prose
            .heading(say(text!("{name} spurgte", "{name} asked")))
            .paragraph(&question.text)
            .fact(say(text!("Svar {at}", "Answer {at}")), answer);
    }
    let none = text!("Der er ingen besvarede spørgsmål endnu.", "No question was answered yet.");
    let is_empty = prose == Prose::default();
    let prose = if is_empty { prose.paragraph(say(none)) } else { prose };
    drawn.section("answers", &say(text!("Spørgsmål og svar", "Questions and answers"))).words(&prose)
}

fn versions(mut drawn: HtmlPage, shown: &Shown, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    drawn = drawn.section("versions", &say(text!("Udgaver", "Versions")));
    let mut before: Option<&Notice> = None;
    for version in &shown.versions {
        let (number, at) = (version.number, copenhagen_text(version.published_at));
        let kind = match version.kind {
            VersionKind::Notice => text!("", ""),
            VersionKind::Closing => text!(", afslutning", ", closing"),
            VersionKind::Cancellation => text!(", aflysning", ", cancellation"),
        };
        let Text { da, en } = kind;
        let (at_da, at_en) = (at.da, at.en);
        let title = say(text!("Udgave {number}{da}, {at_da}", "Version {number}{en}, {at_en}"));
        let words = version.words.iter().fold(Prose::default(), Prose::paragraph);
        drawn = drawn.words(&Prose::default().heading(title)).words(&words);
        let changes = before.map(|before| difference(before, &version.notice, &shown.lead_buyers)).unwrap_or_default();
        if !changes.is_empty() {
            let heads = [text!("Felt", "Field"), text!("Før", "Before"), text!("Nu", "Now")].map(say);
            let cell = |text: &Text| text.to(language).to_owned();
            let rows: Vec<_> =
                changes.iter().map(|one| vec![cell(&one.name), cell(&one.before), cell(&one.after)]).collect();
            drawn = drawn.table(&heads, &rows);
        }
        let whole = say(text!("Læs udgave {number} i sin helhed", "Read the whole of version {number}"));
        drawn = drawn.links(&[(whole, format!("{}/versions/{number}", shown.path()))]);
        before = Some(&version.notice);
    }
    drawn
}

/// One version as a page, as the market saw it.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 404, content((String = "text/html"), (Object = "application/problem+json")))))]
#[get("/dialogues/{id}/versions/{n}")]
pub(super) async fn show_dialogue_version(context: Context, path: Path<(String, String)>) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let (id, number) = (path.0.parse::<Id<Dialogue>>(), path.1.parse::<i32>());
    let found = match (id, number) {
        (Ok(id), Ok(number)) => {
            context.db.read(move |connection| Shown::find(connection, id, now)).await.and_then(|shown| {
                let version = shown.versions.iter().find(|version| version.number == number).cloned();
                version.map(|version| (shown, version)).ok_or_else(Problem::not_found)
            })
        }
        _ => Err(Problem::not_found()),
    };
    HtmlPage::of(found.map(|(shown, version)| draw_version(&shown, &version, language)), language)
}

fn draw_version(shown: &Shown, version: &Version, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let (number, notice) = (version.number, &version.notice);
    let title = &notice.title;
    let at = say(copenhagen_text(version.published_at));
    let mut words = Prose::default().fact(say(text!("Offentliggjort", "Published")), at);
    words = version.words.iter().fold(words, Prose::paragraph);
    if let Some(at) = notice.question_deadline {
        words = words.fact(say(text!("Spørgefrist", "Question deadline")), say(copenhagen_text(at)));
    }
    words = words
        .fact(say(text!("Svarfrist", "Answer deadline")), say(copenhagen_text(notice.answer_deadline)))
        .fact(say(text!("Kontakt", "Contact")), notice.contact.line())
        .paragraph(&notice.description);
    let events = notice.events.iter().fold(Prose::default(), |prose, event| prose.item(say(event_line(event))));
    let heading = say(text!("Udgave {number}: {title}", "Version {number}: {title}"));
    let drawn = HtmlPage::new(language, heading, &words).words(&asked(notice, language)).words(&events);
    let drawn = documents(drawn, &notice.documents, language);
    let back = say(text!("Markedsdialogen, som den er nu", "The market dialogue as it is now"));
    page(drawn.links(&[(back, shown.path())]), language)
}
