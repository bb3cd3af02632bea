//! The front page, and the list of market dialogues.

use actix_web::get;
use serde::Deserialize;
use utoipa::IntoParams;

use super::page;
use crate::access::Context;
use crate::dialogue::store::{self, Filter};
use crate::dialogue::{Dialogue, Status};
use crate::kernel::{Instant, Language, PageRequest, Text, copenhagen_text, fold, text};
use crate::mail::Prose;
use crate::web::{Field, HtmlPage, Paging, Problem, Query};

/// How many open dialogues the front page names.
const ON_THE_FRONT: i64 = 10;

/// The front page: what this is, what is open, and how to hear of more.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/")]
pub(super) async fn show_start(context: Context) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let filter = Filter { status: Some(Status::Published), seen_by_the_market: true, ..Filter::default() };
    let request = PageRequest { limit: ON_THE_FRONT, direction: Default::default(), after: None };
    let open = context.db.read(move |connection| store::list(connection, filter, &request, now)).await?;
    let say = |text: Text| text.to(language).to_owned();
    let words = Prose::default().paragraph(say(text!(
        "Skala samler offentlige organisationer, der har det samme problem, så efterspørgslen er stor nok til, at markedet \
         kan udvikle det, der mangler. Her kan leverandører se de åbne markedsdialoger, stille spørgsmål, tilmelde sig \
         møder og svare – uden login.",
        "Skala gathers public bodies that have the same problem, so that demand is large enough for the market to develop \
         what is missing. Here suppliers see the open market dialogues, ask questions, sign up to events and answer – \
         without signing in."
    )));
    let shown = HtmlPage::new(
        language,
        say(text!("Skala: markedsdialoger og skaleringsprocesser", "Skala: market dialogues and scaling processes")),
        &words,
    )
    .section("open", &say(text!("Åbne markedsdialoger", "Open market dialogues")));
    let shown = if open.items.is_empty() {
        shown.words(&Prose::default().paragraph(say(text!(
            "Lige nu er der ingen åbne markedsdialoger. Få en mail, når den næste kommer.",
            "There is no open market dialogue right now. Get a mail when the next one comes."
        ))))
    } else {
        shown.links(&open.items.iter().map(|one| line(one, language)).collect::<Vec<_>>())
    };
    let shown = shown.links(&[
        (say(text!("Alle markedsdialoger", "All market dialogues")), "/dialogues".to_owned()),
        (
            say(text!(
                "Få mail om markedsdialoger, der passer til dig",
                "Get mail about market dialogues that suit you"
            )),
            "/subscribe".to_owned(),
        ),
        (say(text!("Skaleringsprocesser", "Scaling processes")), "/processes".to_owned()),
        (say(text!("Få hjælp af CO\u{2011}PI", "Ask CO\u{2011}PI for help")), "/hjaelp".to_owned()),
        (say(text!("For offentlige organisationer: API'et", "For public bodies: the API")), "/docs".to_owned()),
    ]);
    Ok(page(shown, language))
}

/// A dialogue on one line, and where it is.
pub(super) fn line(dialogue: &Dialogue, language: Language) -> (String, String) {
    let title = &dialogue.notice.title;
    let Text { da, en } = copenhagen_text(dialogue.notice.answer_deadline);
    let words = match dialogue.state.status() {
        Status::Draft | Status::Scheduled => text!("{title} (kladde)", "{title} (draft)"),
        Status::Published => text!("{title} – svarfrist {da}", "{title} – answer deadline {en}"),
        Status::Closed => text!("{title} – afsluttet", "{title} – closed"),
        Status::Cancelled => text!("{title} – aflyst", "{title} – cancelled"),
    };
    (words.to(language).to_owned(), format!("/dialogues/{}", dialogue.id))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DialoguesQuery {
    /// A part of the title or the description.
    q: Option<String>,
    /// The next page.
    cursor: Option<String>,
}

/// The market dialogues as a page: the latest change first, searched by words.
#[utoipa::path(tag = "pages", security(()), params(DialoguesQuery), responses((status = 200, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json")))))]
#[get("/dialogues")]
pub(super) async fn show_dialogues(context: Context, query: Query<DialoguesQuery>) -> Result<HtmlPage, Problem> {
    let language = context.language;
    HtmlPage::of(list(&context, query.0).await, language)
}

async fn list(context: &Context, query: DialoguesQuery) -> Result<HtmlPage, Problem> {
    let (now, language) = (context.now, context.language);
    let DialoguesQuery { q, cursor } = query;
    let request = Paging { cursor, ..Paging::default() }.of(store::LIST)?;
    let q = q.filter(|q| !fold(q).trim().is_empty());
    let filter = Filter { q: q.clone(), seen_by_the_market: true, ..Filter::default() };
    let found = context.db.read(move |connection| store::list(connection, filter, &request, now)).await?;
    Ok(page(draw(&found.items, found.next.as_deref(), q.as_deref(), now, language), language))
}

fn draw(found: &[Dialogue], next: Option<&str>, q: Option<&str>, now: Instant, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let title = say(text!("Markedsdialoger", "Market dialogues"));
    let mut shown = HtmlPage::new(language, title, &Prose::default()).search(
        "/dialogues",
        &Field::Line {
            name: "q",
            label: &say(text!("Søg i titel og beskrivelse", "Search title and description")),
            value: q.unwrap_or_default(),
        },
        &say(text!("Søg", "Search")),
    );
    let is_open = |one: &&Dialogue| one.state.status() == Status::Published && one.notice.answer_deadline > now;
    let (open, over): (Vec<&Dialogue>, Vec<&Dialogue>) = found.iter().partition(is_open);
    let headings = [
        ("open", text!("Åbne", "Open"), open),
        (
            "over",
            text!("Svarfristen er passeret, afsluttet eller aflyst", "Deadline passed, closed or cancelled"),
            over,
        ),
    ];
    for (id, heading, dialogues) in headings {
        if !dialogues.is_empty() {
            let lines: Vec<_> = dialogues.into_iter().map(|one| line(one, language)).collect();
            shown = shown.section(id, heading.to(language)).links(&lines);
        }
    }
    if found.is_empty() {
        let words = text!("Der er ingen markedsdialoger her.", "There are no market dialogues here.");
        shown = shown.words(&Prose::default().paragraph(say(words)));
    }
    let mut links = vec![(
        say(text!("Få mail om nye markedsdialoger", "Get mail about new market dialogues")),
        "/subscribe".to_owned(),
    )];
    if let Some(next) = next {
        let q = q.map(|q| format!("&q={}", encoded(q))).unwrap_or_default();
        links.insert(0, (say(text!("Flere", "More")), format!("/dialogues?cursor={next}{q}")));
    }
    shown.links(&links)
}

/// Words as a part of an address (RFC 3986).
fn encoded(words: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    words.bytes().map(letter).collect()
}
