//! The feed over HTTP.

use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Caller, Context, Role, Scope};
use crate::challenge::store::Reader;
use crate::db::{AnyConnection, DbError, last_change};
use crate::kernel::{Cursor, Direction, Instant, Page};
use crate::web::{Paging, Problem, Query, Reply, Routes};
use crate::{challenge, criteria, dialogue, organisation, process};

/// Mounts the feed.
pub fn routes(config: &mut impl Routes) {
    config.service(list_changes);
}

/// The name of the list, which its cursors carry.
const LIST: &str = "changes";

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChangedKind)]
enum Kind {
    Challenge,
    Process,
    Dialogue,
    Call,
    Organisation,
}

/// Something that changed.
#[derive(Debug, Serialize, ToSchema)]
struct Change {
    kind: Kind,
    #[schema(format = "uuid")]
    id: String,
    /// Its title or name.
    title: String,
    /// Where it stands, for what has stages.
    #[schema(required, nullable)]
    status: Option<&'static str>,
    /// Where it is.
    #[schema(example = "/api/v1/challenges/0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e")]
    url: String,
    #[serde(skip)]
    changed: i64,
}

impl Change {
    fn of(kind: Kind, place: Cursor, title: String, status: Option<&'static str>) -> Self {
        let plural = match kind {
            Kind::Challenge => "challenges",
            Kind::Process => "processes",
            Kind::Dialogue => "dialogues",
            Kind::Call => "calls",
            Kind::Organisation => "organisations",
        };
        let Cursor { changed, id } = place;
        Self { kind, url: format!("/api/v1/{plural}/{id}"), id, title, status, changed }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    /// `next` of the page before; keep the last one and ask again later.
    cursor: Option<String>,
}

/// All that changed and the caller may see, oldest change first: challenges, processes, dialogues, calls and
/// organisations, each once at its newest change.
#[utoipa::path(tag = "changes", params(FeedQuery), responses((status = 200, body = Page<Change>)))]
#[get("/changes")]
async fn list_changes(context: Context, query: Query<FeedQuery>) -> Result<Reply<Page<Change>>, Problem> {
    let reader = reader(&context.caller)?;
    let Query(FeedQuery { limit, cursor }) = query;
    let order = Some(Direction::OldestFirst.to_string());
    let request = Paging { limit, cursor, order, since: None }.of(LIST)?;
    let now = context.now;
    let page = context.db.read(move |connection| {
        let rows = changes(connection, reader, request.after.as_ref(), request.limit + 1, now)?;
        Ok::<_, DbError>(Page::of(LIST, &request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() }))
    });
    Ok(Reply::page(page.await?))
}

fn reader(caller: &Caller) -> Result<Reader, Problem> {
    let person = caller.person(Scope::ChallengesRead)?;
    match (person.role, person.organisation_id) {
        (Role::Facilitator | Role::Admin, _) => Ok(Reader::Staff),
        (_, Some(body)) => Ok(Reader::Body(body)),
        (_, None) => Err(Problem::unauthorized()),
    }
}

fn changes(
    connection: &mut AnyConnection,
    reader: Reader,
    after: Option<&Cursor>,
    limit: i64,
    now: Instant,
) -> Result<Vec<Change>, DbError> {
    // First of all: what comes later than this number waits for the next page.
    let mut until = last_change(connection)?;
    let limited = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for (place, title, status) in challenge::store::changed_after(connection, reader, after, until, limit)? {
        found.push(Change::of(Kind::Challenge, place, title, Some(status.word())));
    }
    until = cut(&mut found, limited, until);
    let staff = reader == Reader::Staff;
    for (place, it) in dialogue::store::changed_after(connection, staff, after, until, limit, now)? {
        found.push(Change::of(Kind::Dialogue, place, it.notice.title, Some(it.state.status().word())));
    }
    until = cut(&mut found, limited, until);
    for (place, it) in process::store::changed_after(connection, staff, after, until, limit)? {
        found.push(Change::of(Kind::Process, place, it.body.title, Some(it.body.status.word())));
    }
    until = cut(&mut found, limited, until);
    for (place, it) in criteria::store::changed_after(connection, after, until, limit)? {
        found.push(Change::of(Kind::Call, place, it.body.title, None));
    }
    for (place, it) in organisation::store::changed_after(connection, after, until, limit)? {
        found.push(Change::of(Kind::Organisation, place, it.body.name, None));
    }
    cut(&mut found, limited, until);
    Ok(found)
}

/// Keeps the oldest changes that a page holds; returns up to where others are worth reading.
fn cut(found: &mut Vec<Change>, limit: usize, until: i64) -> i64 {
    found.sort_by(|one, other| (one.changed, &one.id).cmp(&(other.changed, &other.id)));
    found.truncate(limit);
    found.last().filter(|_| found.len() == limit).map_or(until, |last| last.changed)
}
