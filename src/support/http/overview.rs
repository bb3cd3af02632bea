//! What is asked for on the whole: counted without persons, and what recurs without an answer.

use std::collections::{BTreeMap, HashMap};

use actix_web::get;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{RequestView, views};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::kernel::{Id, Instant, Language, text};
use crate::matching::group::{Group, Grouping};
use crate::matching::live::shelved;
use crate::matching::need::Need;
use crate::matching::text::language::Language as Spoken;
use crate::support::{Kind, Quarter, SupportRequest, Table, UserGroup, store};
use crate::web::{Problem, Query, Reply};

/// How many unanswered requests are looked at together: the newest.
const MOST_GROUPED: i64 = 1000;

/// A count, or that it is hidden.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"count": null, "shown": "*"}))]
struct SupportCount {
    /// Null where it is hidden: one or two, or a number from which one or two could be worked out.
    #[schema(required, nullable)]
    count: Option<u32>,
    /// The number, or `*` where it is hidden.
    shown: String,
}

impl From<Option<u32>> for SupportCount {
    fn from(count: Option<u32>) -> Self {
        Self { count, shown: count.map_or_else(|| "*".to_owned(), |count| count.to_string()) }
    }
}

/// What was asked for of one kind.
#[derive(Debug, Serialize, ToSchema)]
struct SupportDemandRow {
    kind: Kind,
    #[schema(example = "skabelon")]
    name: String,
    /// By user group, in the order of `user_groups`.
    counts: Vec<SupportCount>,
    sum: SupportCount,
}

/// What was asked for in one quarter.
#[derive(Debug, Serialize, ToSchema)]
struct SupportDemandQuarter {
    #[schema(example = "2026-Q4")]
    quarter: String,
    /// The kinds that anybody asked for.
    kinds: Vec<SupportDemandRow>,
    /// By user group, in the order of `user_groups`.
    sums: Vec<SupportCount>,
    sum: SupportCount,
}

/// What was asked for, by kind, user group and quarter; without persons, and with small numbers hidden.
#[derive(Debug, Serialize, ToSchema)]
struct SupportDemand {
    /// The order of the counts.
    user_groups: Vec<UserGroup>,
    /// The newest first; quarters in which nobody asked are left out.
    quarters: Vec<SupportDemandQuarter>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DemandQuery {
    /// From this day on; two years back when left out. The quarter that it lies in counts whole.
    from: Option<NaiveDate>,
}

/// What is asked for, by kind, user group and quarter, without persons: one and two are hidden, and so is every number from
/// which they could be worked out. For CO-PI's staff.
#[utoipa::path(tag = "support", params(DemandQuery), responses((status = 200, body = SupportDemand)))]
#[get("/support-requests/demand")]
pub(super) async fn get_support_demand(
    context: Context,
    query: Query<DemandQuery>,
) -> Result<Reply<SupportDemand>, Problem> {
    context.caller.staff(Scope::ChallengesRead)?;
    let (now, language) = (context.now, context.language);
    let from = match query.0.from {
        None => now - TimeDelta::days(2 * 365),
        Some(day) if (NaiveDate::default()..=now.date_naive()).contains(&day) => {
            day.and_time(chrono::NaiveTime::MIN).and_utc()
        }
        Some(_) => {
            let detail = text!("Dagen skal ligge mellem 1970 og i dag", "The day must lie between 1970 and today");
            return Err(Problem::unfit("/from", "out_of_range", detail));
        }
    };
    let first = Quarter::of(from);
    // A quarter is at most 92 days; what lies before it is dropped below.
    let asked = context
        .db
        .read(move |connection| {
            store::asked_between(connection, from - TimeDelta::days(93), now + TimeDelta::seconds(1))
        })
        .await?;
    let mut quarters: BTreeMap<Quarter, HashMap<(String, String), u32>> = BTreeMap::new();
    for (kind, group, at) in asked {
        *quarters.entry(Quarter::of(at)).or_default().entry((kind, group)).or_default() += 1;
    }
    quarters.retain(|quarter, _| *quarter >= first);
    let quarters = quarters.into_iter().rev().map(|(quarter, counts)| count(quarter, &counts, language)).collect();
    Ok(Reply::ok(SupportDemand { user_groups: UserGroup::ALL.to_vec(), quarters }))
}

fn count(quarter: Quarter, counts: &HashMap<(String, String), u32>, language: Language) -> SupportDemandQuarter {
    let of = |kind: Kind, group: UserGroup| {
        counts.get(&(kind.word().to_owned(), group.word().to_owned())).copied().unwrap_or_default()
    };
    let rows: Vec<(Kind, Vec<u32>)> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, UserGroup::ALL.map(|group| of(kind, group)).to_vec()))
        .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
        .collect();
    let table = Table::of(&rows.iter().map(|(_, counts)| counts.clone()).collect::<Vec<_>>());
    let mut shown = table.cells.into_iter().map(|mut cells| {
        let sum = cells.pop().flatten();
        (cells.into_iter().map(SupportCount::from).collect::<Vec<_>>(), SupportCount::from(sum))
    });
    let kinds = rows.into_iter().zip(shown.by_ref()).map(|((kind, _), (counts, sum))| SupportDemandRow {
        kind,
        name: kind.name().to(language).to_owned(),
        counts,
        sum,
    });
    let kinds = kinds.collect();
    let (sums, sum) = shown.next().unwrap_or_else(|| (Vec::new(), Some(0).into()));
    SupportDemandQuarter { quarter: quarter.to_string(), kinds, sums, sum }
}

/// Requests for much the same that nobody answered.
#[derive(Debug, Serialize, ToSchema)]
struct RecurringSupport {
    /// The requests, oldest first.
    requests: Vec<RequestView>,
    /// What they share, in words.
    #[schema(example = json!(["markedsdialog", "små virksomheder"]))]
    shared: Vec<String>,
    /// When the first was asked.
    first_asked_at: DateTime<Utc>,
}

/// Unanswered requests, what recurs most on top.
#[derive(Debug, Serialize, ToSchema)]
struct RecurringSupportRequests {
    items: Vec<RecurringSupport>,
}

/// What is asked for without an answer, like requests together and what recurs most on top: those that wait, and those that were
/// closed unanswered. The newest 1,000 are looked at; for CO-PI's staff.
#[utoipa::path(tag = "support", responses((status = 200, body = RecurringSupportRequests)))]
#[get("/support-requests/recurring")]
pub(super) async fn list_recurring_support_requests(
    context: Context,
) -> Result<Reply<RecurringSupportRequests>, Problem> {
    context.caller.staff(Scope::ChallengesRead)?;
    let language = context.language;
    let items = context.db.read(move |connection| recurring(connection, language)).await?;
    Ok(Reply::ok(RecurringSupportRequests { items }))
}

fn recurring(connection: &mut AnyConnection, language: Language) -> Result<Vec<RecurringSupport>, Problem> {
    let requests = store::unanswered(connection, MOST_GROUPED)?;
    let need = |request: &SupportRequest| Need::from_text(&request.ask.text, None);
    let index = shelved(requests.iter().map(|request| (request.id, need(request))))?;
    // Whoever asks for a template is not helped by a network: like requests are of one kind.
    let of_kind = |kind: Kind| {
        let keys: Vec<_> = requests.iter().filter(|one| one.ask.kind == kind).map(|one| one.id).collect();
        index.groups(&keys, &[], &Grouping::PASSING)
    };
    let mut groups: Vec<Group<Id<SupportRequest>>> = Kind::ALL.into_iter().flat_map(of_kind).collect();
    groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| a.members.cmp(&b.members)));
    let spoken = match language {
        Language::Da => Spoken::Danish,
        Language::En => Spoken::English,
    };
    let mut by_id: HashMap<_, _> = requests.into_iter().map(|request| (request.id, request)).collect();
    let show = |group: Group<Id<SupportRequest>>| {
        let members: Vec<SupportRequest> = group.members.iter().filter_map(|id| by_id.remove(id)).collect();
        let first: Option<Instant> = members.iter().map(|request| request.asked_at).min();
        Ok(RecurringSupport {
            first_asked_at: first.unwrap_or_default(),
            shared: index.shared(&group.members, spoken, 5),
            requests: views(connection, members)?,
        })
    };
    groups.into_iter().map(show).collect()
}
