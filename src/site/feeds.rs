//! The feeds over HTTP: dialogues and processes as Atom and JSON Feed, events as a calendar. They take the filter of a
//! subscription in their address, so that the same wish can be polled instead of mailed.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::ical::{Calendar, meetings};
use super::syndication::{Entry, Feed, atom, json_feed};
use crate::access::Context;
use crate::db::{AnyConnection, DbError};
use crate::dialogue::{self, Dialogue, State, Status, nobody_is_bound, taking_part_is_free};
use crate::dispatch::{Surroundings, notice_of_process};
use crate::kernel::{Direction, Flaws, Id, Instant, PageRequest, Text, copenhagen_text, digest, text};
use crate::process::{self, Process};
use crate::subscription::Filter;
use crate::web::{Problem, Query};

/// How many entries a feed has.
const MOST: usize = 100;
/// How far back it looks.
const LOOKS_BACK: TimeDelta = TimeDelta::days(730);

/// The filter of a subscription, in an address.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FeedQuery {
    /// CPV codes, separated by commas; each stands for itself and all below it.
    cpv: Option<String>,
    /// Places (NUTS), separated by commas; each stands for itself and all within it.
    nuts: Option<String>,
    /// Themes, separated by commas.
    themes: Option<String>,
    /// Processes, separated by commas.
    process_id: Option<String>,
    /// Market dialogues, separated by commas.
    dialogue_id: Option<String>,
    /// Words; all of them must occur. Commas separate alternatives.
    text: Option<String>,
}

impl FeedQuery {
    fn filter(self) -> Result<Filter, Problem> {
        fn list(written: Option<String>) -> Vec<String> {
            let written = written.unwrap_or_default();
            written.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
        fn ids<T: 'static>(pointer: &str, written: Option<String>) -> Result<Vec<Id<T>>, Problem> {
            let read = list(written).into_iter().map(|id| id.parse::<Id<T>>());
            let detail = || text!("Det er ikke et id", "This is no id");
            read.collect::<Result<_, _>>().map_err(|_| Problem::unfit(pointer, "not_an_id", detail()))
        }
        let mut filter = Filter {
            cpv: list(self.cpv),
            nuts: list(self.nuts),
            themes: list(self.themes),
            process_ids: ids("/process_id", self.process_id)?,
            dialogue_ids: ids("/dialogue_id", self.dialogue_id)?,
            text: self.text,
        };
        let mut flaws = Flaws::default();
        filter.fit_at("", &mut flaws);
        if flaws.0.is_empty() { Ok(filter) } else { Err(flaws.into()) }
    }
}

/// The market dialogues that match, the latest change first, as Atom (RFC 4287).
#[utoipa::path(tag = "feeds", security(()), params(FeedQuery), responses((status = 200, body = String, content_type = "application/atom+xml", headers(("ETag")))))]
#[get("/feeds/dialogues.atom")]
pub(super) async fn get_dialogue_atom(
    context: Context,
    request: HttpRequest,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Problem> {
    let feed = dialogues(&context, &request, query.0).await?;
    Ok(fed(&request, "application/atom+xml; charset=utf-8", atom(&feed)))
}

/// The market dialogues that match, the latest change first, as JSON Feed 1.1.
#[utoipa::path(tag = "feeds", security(()), params(FeedQuery), responses((status = 200, body = Object, content_type = "application/feed+json", headers(("ETag")))))]
#[get("/feeds/dialogues.json")]
pub(super) async fn get_dialogue_feed(
    context: Context,
    request: HttpRequest,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Problem> {
    let feed = dialogues(&context, &request, query.0).await?;
    Ok(fed(&request, "application/feed+json", json_feed(&feed).to_string()))
}

/// The processes that match, the latest change first, as Atom (RFC 4287).
#[utoipa::path(tag = "feeds", security(()), params(FeedQuery), responses((status = 200, body = String, content_type = "application/atom+xml", headers(("ETag")))))]
#[get("/feeds/processes.atom")]
pub(super) async fn get_process_atom(
    context: Context,
    request: HttpRequest,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Problem> {
    let feed = processes(&context, &request, query.0).await?;
    Ok(fed(&request, "application/atom+xml; charset=utf-8", atom(&feed)))
}

/// The processes that match, the latest change first, as JSON Feed 1.1.
#[utoipa::path(tag = "feeds", security(()), params(FeedQuery), responses((status = 200, body = Object, content_type = "application/feed+json", headers(("ETag")))))]
#[get("/feeds/processes.json")]
pub(super) async fn get_process_feed(
    context: Context,
    request: HttpRequest,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Problem> {
    let feed = processes(&context, &request, query.0).await?;
    Ok(fed(&request, "application/feed+json", json_feed(&feed).to_string()))
}

/// The events of the market dialogues that match, as a calendar (RFC 5545); what was cancelled stays in it as cancelled.
#[utoipa::path(tag = "feeds", security(()), params(FeedQuery), responses((status = 200, body = String, content_type = "text/calendar", headers(("ETag")))))]
#[get("/feeds/events.ics")]
pub(super) async fn get_event_calendar(
    context: Context,
    request: HttpRequest,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, now, language) = (query.0.filter()?, context.now, context.language);
    let found = context.db.read(move |connection| {
        let matching = matching(connection, &filter, now)?;
        let with_versions = matching.into_iter().map(|dialogue| {
            dialogue::store::versions(connection, dialogue.id, now).map(|versions| (dialogue, versions))
        });
        with_versions.collect::<Result<Vec<_>, DbError>>()
    });
    let found = found.await?;
    let name = text!("Skala: møder i markedsdialoger", "Skala: events of market dialogues");
    let mut calendar = Calendar::new(name.to(language));
    for (dialogue, versions) in &found {
        let page = context.url(&format!("/dialogues/{}", dialogue.id));
        let (free, bound) = (taking_part_is_free(), nobody_is_bound());
        let title = &dialogue.notice.title;
        let about = format!("{title}\n{page}\n\n{}\n{}", free.to(language), bound.to(language));
        for meeting in meetings(versions) {
            calendar.meeting(&meeting, context.settings.public_host(), &page, &about);
        }
    }
    Ok(fed(&request, "text/calendar; charset=utf-8", calendar.finish()))
}

/// The dialogues that the market has seen and that match.
fn matching(connection: &mut AnyConnection, filter: &Filter, now: Instant) -> Result<Vec<Dialogue>, DbError> {
    let mut surroundings = Surroundings::default();
    let mut found = Vec::new();
    for dialogue in dialogue::store::published_since(connection, now - LOOKS_BACK, now)? {
        let notice = surroundings.notice_of(connection, &dialogue, &dialogue.notice)?;
        if filter.matches(&notice).is_some() {
            found.push(dialogue);
        }
    }
    Ok(found)
}

async fn dialogues(context: &Context, request: &HttpRequest, query: FeedQuery) -> Result<Feed, Problem> {
    let (filter, now, language) = (query.filter()?, context.now, context.language);
    let found = context.db.read(move |connection| matching(connection, &filter, now)).await?;
    let entries = found.iter().map(|dialogue| dialogue_entry(context, dialogue)).collect();
    let title = text!("Skala: markedsdialoger", "Skala: market dialogues");
    Ok(newest(Feed {
        title: title.to(language).to_owned(),
        url: context.url(&asked(request)),
        page: context.url("/dialogues"),
        language,
        entries,
    }))
}

fn dialogue_entry(context: &Context, dialogue: &Dialogue) -> Entry {
    let language = context.language;
    let say = |text: Text| text.to(language).to_owned();
    let notice = &dialogue.notice;
    let (published, number) = dialogue.state.published().unwrap_or((dialogue.created_at, 0));
    let title = &notice.title;
    let (heading, ending) = match &dialogue.state {
        State::Cancelled { reason, .. } => (text!("Aflyst: {title}", "Cancelled: {title}"), Some(reason)),
        State::Closed { summary, .. } => (text!("Afsluttet: {title}", "Closed: {title}"), Some(summary)),
        _ => (text!("{title}", "{title}"), None),
    };
    let Text { da, en } = copenhagen_text(notice.answer_deadline);
    let deadline = say(text!("Svarfrist: {da}", "Answer deadline: {en}"));
    let words = [Some(&deadline), ending, Some(&notice.description)].into_iter().flatten();
    Entry {
        id: dialogue.id.to_string(),
        url: context.url(&format!("/dialogues/{}", dialogue.id)),
        title: say(heading),
        text: words.cloned().collect::<Vec<_>>().join("\n\n"),
        published,
        // What the clock published was last touched before that.
        updated: dialogue.updated_at.max(published),
        tags: notice.cpv.iter().chain(&notice.nuts).chain(&notice.themes).cloned().collect(),
        more: json!({"status": dialogue.state.status(), "version": number, "answer_deadline": notice.answer_deadline,
                     "question_deadline": notice.question_deadline, "process_id": dialogue.process_id,
                     "open": dialogue.state.status() == Status::Published}),
    }
}

async fn processes(context: &Context, request: &HttpRequest, query: FeedQuery) -> Result<Feed, Problem> {
    let (filter, language) = (query.filter()?, context.language);
    let page = PageRequest { limit: 200, direction: Direction::NewestFirst, after: None };
    let found = context.db.read(move |connection| {
        let mut found = Vec::new();
        for process in process::store::list(connection, false, None, &page)?.items {
            let notice = notice_of_process(connection, &process)?;
            if filter.matches(&notice).is_some() {
                let themes: Vec<String> = notice.themes.into_iter().map(|(theme, _)| theme).collect();
                found.push((process, themes));
            }
        }
        Ok::<_, DbError>(found)
    });
    let entry = |(process, themes): (Process, Vec<String>)| Entry {
        id: process.id.to_string(),
        url: context.url(&format!("/processes/{}", process.id)),
        title: process.body.title,
        text: process.body.summary,
        published: process.created_at,
        updated: process.updated_at,
        tags: themes,
        more: json!({"status": process.body.status}),
    };
    let title = text!("Skala: skaleringsprocesser", "Skala: scaling processes");
    Ok(newest(Feed {
        title: title.to(language).to_owned(),
        url: context.url(&asked(request)),
        page: context.url("/processes"),
        language,
        entries: found.await?.into_iter().map(entry).collect(),
    }))
}

/// The latest update first, and no more than a reader polls for.
fn newest(mut feed: Feed) -> Feed {
    feed.entries.sort_by(|one, other| other.updated.cmp(&one.updated).then_with(|| other.id.cmp(&one.id)));
    feed.entries.truncate(MOST);
    feed
}

/// The address that was asked for, below this service's own.
fn asked(request: &HttpRequest) -> String {
    match request.query_string() {
        "" => request.path().to_owned(),
        query => format!("{}?{query}", request.path()),
    }
}

/// A feed with its entity tag, or that nothing changed. It may be kept, and is asked for each time: who polls sees what is
/// published no later than who looks at the page.
fn fed(request: &HttpRequest, kind: &str, body: String) -> HttpResponse {
    let hash = digest(body.as_bytes());
    let etag = format!("\"{}\"", hash.get(..32).unwrap_or_default());
    let seen = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = seen.is_some_and(|seen| {
        seen.trim() == "*" || seen.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)
    });
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, etag));
    response.insert_header((header::CACHE_CONTROL, "no-cache"));
    response.insert_header((header::VARY, "Accept-Language"));
    if unchanged { response.finish() } else { response.content_type(kind).body(body) }
}
