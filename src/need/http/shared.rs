//! "Det har vi også": what other bodies share, and what departments and bodies say to it.

use actix_web::http::StatusCode;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Context, Scope};
use crate::challenge::http::OwnerView;
use crate::db::AnyConnection;
use crate::kernel::{Fitting, Flaws, Id, OrganisationId, Page};
use crate::need::{HowOften, Need, Recognition, actions, store};
use crate::organisation::store::names;
use crate::web::{Body, Paging, PathId, Problem, Query, Reply};

/// A need that another body shares.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SharedNeed {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Need>,
    organisation: OwnerView,
    what: String,
    #[schema(required, nullable)]
    how_often: Option<HowOften>,
    who: String,
    today: String,
    /// How many departments and bodies have it too.
    recognitions: usize,
    /// Whether the caller's body said so.
    recognised: bool,
    left_at: DateTime<Utc>,
}

impl SharedNeed {
    /// Others' needs, as `body` sees them.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn all(
        connection: &mut AnyConnection,
        body: OrganisationId,
        needs: Vec<Need>,
    ) -> Result<Vec<Self>, Problem> {
        let (ids, bodies): (Vec<_>, Vec<_>) = needs.iter().map(|need| (need.id, need.organisation_id)).unzip();
        let (mut said, names) = (store::recognitions(connection, &ids)?, names(connection, &bodies)?);
        let show = |need: Need| {
            let said = said.remove(&need.id).unwrap_or_default();
            let name = names.get(&need.organisation_id).cloned().unwrap_or_default();
            Self {
                id: need.id,
                organisation: OwnerView { id: need.organisation_id, name },
                recognitions: said.len(),
                recognised: said.iter().any(|one| one.organisation_id == body),
                what: need.told.what,
                how_often: need.told.how_often,
                who: need.told.who,
                today: need.told.today,
                left_at: need.left_at,
            }
        };
        Ok(needs.into_iter().map(show).collect())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SharedQuery {
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The needs that other bodies share and have not answered or set aside: say "det har vi også" to those that you have.
#[utoipa::path(tag = "needs", params(SharedQuery), responses((status = 200, body = Page<SharedNeed>)))]
#[get("/shared-needs")]
pub(super) async fn list_shared_needs(
    context: Context,
    query: Query<SharedQuery>,
) -> Result<Reply<Page<SharedNeed>>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let Query(SharedQuery { limit, cursor }) = query;
    let request = Paging { limit, cursor, ..Paging::default() }.of(store::SHARED)?;
    let page = context.db.read(move |connection| {
        let Page { items, next } = store::shared_by_others(connection, body, &request)?;
        Ok::<_, Problem>(Page { items: SharedNeed::all(connection, body, items)?, next })
    });
    Ok(Reply::page(page.await?))
}

/// A department or body that has a need too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNeedRecognition, example = json!({"department": "Akutmodtagelsen", "how_often": {"times": 2.0, "per": "day", "minutes": 20.0}, "note": "Hos os især i weekenden."}))]
struct RecognitionBody {
    /// At most 120 characters; needed where the need is the body's own.
    #[serde(default)]
    #[schema(max_length = 120)]
    department: String,
    #[serde(default)]
    how_often: Option<HowOften>,
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
}

impl Fitting for RecognitionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/department", &mut self.department, 0, 120);
        flaws.open_prose("/note", &mut self.note, 0, 2000);
        if let Some(how_often) = &self.how_often {
            how_often.check(flaws);
        }
    }
}

/// Says "det har vi også" to a need that another body shares, or for another department to one's own. The newest word of each
/// department counts.
#[utoipa::path(tag = "needs", request_body = RecognitionBody, responses((status = 201, body = Recognition)))]
#[post("/needs/{id}/recognitions")]
pub(super) async fn recognise_need(
    context: Context,
    id: PathId<Need>,
    body: Body<RecognitionBody>,
) -> Result<Reply<Recognition>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let RecognitionBody { department, how_often, note } = body.0.into_inner();
    let now = context.now;
    let said =
        context.db.write(move |tx| actions::recognise(tx, now, &member, id.0, department, how_often, note)).await?;
    Ok(Reply::ok(said).status(StatusCode::CREATED))
}
