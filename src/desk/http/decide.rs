//! Deciding on several challenges at once, over HTTP.

use actix_web::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Context, Scope, Staff};
use crate::challenge::{Challenge, ReasonCode, Status, Why, actions};
use crate::kernel::{Fit, Fitting, Flaws, Id};
use crate::web::lines::LineFlaw;
use crate::web::{Body, Problem, Reply};

/// What to do with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Approve,
    Return,
    Decline,
}

/// A decision on one challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    decision: Verb,
    /// At most 2,000 characters; needed but for an approval that follows the verdict.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// What kind of reason it is.
    #[serde(default)]
    #[schema(max_items = 10)]
    codes: Vec<ReasonCode>,
    /// Approve although the verdict is not met.
    #[serde(default, rename = "override")]
    overriding: bool,
}

/// Decisions, each on a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"decisions": [
    {"challenge_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "decision": "approve"},
    {"challenge_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f", "decision": "return", "reason": "Hvor mange går runderne?", "codes": ["time_savings"]}]}))]
pub(super) struct DecisionsBody {
    /// 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    decisions: Vec<DecisionBody>,
}

impl Fitting for DecisionsBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.count("/decisions", &self.decisions, 1, 100);
    }
}

/// Checked when its turn comes, so that an unfit one harms no other.
impl Fitting for DecisionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        let least = usize::from(self.decision != Verb::Approve);
        flaws.kept_prose("/reason", &mut self.reason, least, 2000);
        flaws.count("/codes", &self.codes, 0, 10);
    }
}

/// Whether a decision was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Done {
    Done,
    Error,
}

/// What became of one decision.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionResult {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    result: Done,
    /// Where the challenge stands now.
    #[schema(required, nullable)]
    status: Option<Status>,
    /// Why it was not carried out; places are within the decision.
    errors: Vec<LineFlaw>,
}

/// What became of the decisions, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionResults {
    items: Vec<DecisionResult>,
}

/// Decides on several challenges; by CO-PI's staff. Each is decided by itself: one that cannot be, also for want of
/// a reason, harms no other.
#[utoipa::path(tag = "desk", request_body = DecisionsBody, responses((status = 200, body = DecisionResults)))]
#[post("/queue/decisions")]
pub(super) async fn decide_queue(
    context: Context,
    body: Body<DecisionsBody>,
) -> Result<Reply<DecisionResults>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let mut items = Vec::new();
    for decision in body.0.into_inner().decisions {
        let challenge_id = decision.challenge_id;
        items.push(match decide(&context, staff.clone(), decision).await {
            Ok(status) => DecisionResult { challenge_id, result: Done::Done, status: Some(status), errors: Vec::new() },
            Err(problem) if problem.status.is_server_error() => return Err(problem),
            Err(problem) => DecisionResult {
                challenge_id,
                result: Done::Error,
                status: None,
                errors: LineFlaw::all(&problem, context.language),
            },
        });
    }
    Ok(Reply::ok(DecisionResults { items }))
}

async fn decide(context: &Context, staff: Staff, decision: DecisionBody) -> Result<Status, Problem> {
    let DecisionBody { challenge_id: id, decision, reason, codes, overriding } = Fit::check(decision)?.into_inner();
    let (now, node) = (context.now, context.node.clone());
    let decided = context.db.write(move |tx| match decision {
        Verb::Approve => {
            let reason = Some(reason).filter(|reason| !reason.is_empty());
            actions::approve(tx, now, &node, &staff, id, reason, overriding)
        }
        Verb::Return => actions::send_back(tx, now, &node, &staff, id, Why { reason, codes }),
        Verb::Decline => actions::decline(tx, now, &node, &staff, id, Why { reason, codes }),
    });
    Ok(decided.await?.stage.status())
}
