//! Needs that wait, like ones together; and beside them what other bodies share of the same kind.

use std::collections::HashMap;

use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::shared::SharedNeed;
use super::triage::NeedView;
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::kernel::{Id, Language, OrganisationId};
use crate::matching::group::Grouping;
use crate::matching::live::shelved;
use crate::matching::need::Need as Matched;
use crate::matching::text::language::Language as Spoken;
use crate::need::{Estimate, Inbox, Need, actions, store};
use crate::web::{Problem, Query, Reply};

/// How many waiting needs are looked at together: the newest.
const MOST_CLUSTERED: i64 = 1000;
/// How many needs that other bodies share are looked at: the newest.
const MOST_ELSEWHERE: i64 = 200;
/// What another body shares lies with a need that it scores at least this much with: more than needs of one body that are
/// gathered, for here one pair alone speaks.
const LEAST_ELSEWHERE: f32 = 0.2;

/// Needs that look like one.
#[derive(Debug, Serialize, ToSchema)]
struct NeedCluster {
    /// The needs, oldest first.
    needs: Vec<NeedView>,
    /// How much alike they are on average, 0 to 1; 1 for one alone.
    #[schema(minimum = 0, maximum = 1, example = 0.62)]
    cohesion: f32,
    /// What they share, in words.
    #[schema(example = json!(["natlige tilsyn", "søvn"]))]
    shared: Vec<String>,
    /// Needs like these that other bodies share: say "det har vi også" to those that you have.
    elsewhere: Vec<SharedNeed>,
    /// How many departments told of it.
    departments: usize,
    /// Hours of work a year as they estimate it: the median of each department, added up.
    #[schema(required, nullable)]
    hours_per_year: Option<f64>,
}

/// Needs that wait, like ones together.
#[derive(Debug, Serialize, ToSchema)]
struct NeedClusters {
    items: Vec<NeedCluster>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClusterQuery {
    /// Of this inbox alone.
    #[param(value_type = Option<String>, format = "uuid")]
    inbox_id: Option<Id<Inbox>>,
}

/// The needs of the caller's body that wait, like ones together, the largest group first; with
/// them what other bodies share of the same kind. The newest 1,000 of its own and 200 of others' are looked at.
#[utoipa::path(tag = "needs", params(ClusterQuery), responses((status = 200, body = NeedClusters)))]
#[get("/needs/clusters")]
pub(super) async fn list_need_clusters(
    context: Context,
    query: Query<ClusterQuery>,
) -> Result<Reply<NeedClusters>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let (inbox, language) = (query.0.inbox_id, context.language);
    let items = context.db.read(move |connection| clusters(connection, body, inbox, language)).await?;
    Ok(Reply::ok(NeedClusters { items }))
}

fn clusters(
    connection: &mut AnyConnection,
    body: OrganisationId,
    inbox: Option<Id<Inbox>>,
    language: Language,
) -> Result<Vec<NeedCluster>, Problem> {
    let needs = store::waiting(connection, body, inbox, MOST_CLUSTERED)?;
    let index = shelved(needs.iter().map(|need| (need.id, matched(need))))?;
    let keys: Vec<_> = needs.iter().map(|need| need.id).collect();
    let mut said = store::recognitions(connection, &keys)?;
    let mut groups = index.groups(&keys, &[], &Grouping::PASSING);
    groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| a.members.cmp(&b.members)));

    // What others share lies with the need of the body that it is most like.
    let (mut alike, mut theirs) = (Vec::new(), Vec::new());
    for need in store::newest_shared_by_others(connection, body, MOST_ELSEWHERE)? {
        let nearest = index.like_profile(&index.read(&matched(&need)), None, 1).pop();
        if let Some(nearest) = nearest.filter(|nearest| nearest.score >= LEAST_ELSEWHERE) {
            alike.push(nearest.key);
            theirs.push(need);
        }
    }
    let mut elsewhere: HashMap<Id<Need>, Vec<SharedNeed>> = HashMap::new();
    for (key, shared) in alike.into_iter().zip(SharedNeed::all(connection, body, theirs)?) {
        elsewhere.entry(key).or_default().push(shared);
    }

    let mut by_id: HashMap<Id<Need>, Need> = needs.into_iter().map(|need| (need.id, need)).collect();
    let spoken = match language {
        Language::Da => Spoken::Danish,
        Language::En => Spoken::English,
    };
    let show = |group: crate::matching::group::Group<Id<Need>>| {
        let members: Vec<Need> = group.members.iter().filter_map(|id| by_id.remove(id)).collect();
        let estimate = Estimate::of(&actions::told_by(&members, &said).0);
        let view = |need: Need| {
            let recognitions = said.remove(&need.id).unwrap_or_default();
            NeedView::of(need, None, recognitions)
        };
        NeedCluster {
            elsewhere: group.members.iter().filter_map(|id| elsewhere.remove(id)).flatten().collect(),
            needs: members.into_iter().map(view).collect(),
            cohesion: group.cohesion,
            shared: index.shared(&group.members, spoken, 5),
            departments: estimate.departments,
            hours_per_year: estimate.hours_per_year,
        }
    };
    Ok(groups.into_iter().map(show).collect())
}

/// What is compared. Whom it troubles is left out: in one house it is nearly always the same people.
fn matched(need: &Need) -> Matched {
    Matched {
        body: format!("{}\n{}", need.told.what, need.told.today),
        language: Spoken::from_tag(need.language.tag()),
        ..Matched::default()
    }
}
