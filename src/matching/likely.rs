//! Who else probably has a need: what bodies registered and recognised, what they are and where.
//!
//! Each piece of evidence says how likely the body has the need for that reason alone; together they say it as
//! independent witnesses would.

use crate::challenge::{Challenge, Level, Recognition};
use crate::kernel::{OrganisationId, Text, text};
use crate::organisation::Organisation;

/// A body that recognised a like challenge has this share of the challenge's likeness.
const RECOGNISED: f32 = 0.8;
/// What being the kind of body that has such needs says.
const KIND: f32 = 0.15;
/// What lying in the same region says.
const REGION: f32 = 0.05;
/// Regions of Denmark are this many characters of a NUTS code.
const REGION_CODE: usize = 4;

/// A challenge like the one asked about, with how likely it is the same need and who recognised it.
pub struct Like {
    pub challenge: Challenge,
    pub score: f32,
    pub recognitions: Vec<Recognition>,
}

/// Why a body probably has the need.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// `registered`, `recognised`, `kind` or `region`.
    pub kind: &'static str,
    pub text: Text,
    weight: f32,
}

/// A body that probably has the need.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    pub organisation_id: OrganisationId,
    pub name: String,
    /// 0 to 1.
    pub score: f32,
    /// The strongest first.
    pub evidence: Vec<Evidence>,
}

/// The bodies that probably have the need of a challenge, most likely first; its owner and those who already
/// recognised it are left out.
#[must_use]
pub fn bodies(asked: &Challenge, known: &[Recognition], likes: &[Like], all: &[Organisation]) -> Vec<Likely> {
    let owner = all.iter().find(|body| body.id == asked.organisation_id);
    let is_known = |body: &Organisation| {
        body.id == asked.organisation_id || known.iter().any(|said| said.organisation_id == body.id && counts(said))
    };
    let mut likely: Vec<Likely> = all
        .iter()
        .filter(|body| !is_known(body))
        .filter_map(|body| {
            let mut evidence: Vec<Evidence> = likes.iter().flat_map(|like| said_itself(body, like)).collect();
            evidence.extend(owner.into_iter().flat_map(|owner| resembles(body, owner)));
            evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight));
            let unlikely = evidence.iter().map(|evidence| 1.0 - evidence.weight).product::<f32>();
            let score = 1.0 - unlikely;
            let is_likely = evidence.iter().any(|evidence| evidence.kind != "region");
            is_likely.then(|| Likely { organisation_id: body.id, name: body.body.name.clone(), score, evidence })
        })
        .collect();
    likely.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    likely
}

fn counts(said: &Recognition) -> bool {
    said.body.level != Level::Withdrawn
}

fn said_itself<'a>(body: &'a Organisation, like: &'a Like) -> impl Iterator<Item = Evidence> + use<'a> {
    let title = &like.challenge.description.title;
    let registered = (like.challenge.organisation_id == body.id).then(|| Evidence {
        kind: "registered",
        text: text!("har selv registreret »{title}«", "has itself registered “{title}”"),
        weight: like.score,
    });
    let recognised = like.recognitions.iter().any(|said| said.organisation_id == body.id && counts(said));
    let recognised = recognised.then(|| Evidence {
        kind: "recognised",
        text: text!("har sagt »det har vi også« til »{title}«", "has said of “{title}” that it has it too"),
        weight: RECOGNISED * like.score,
    });
    registered.into_iter().chain(recognised)
}

fn resembles(body: &Organisation, owner: &Organisation) -> impl Iterator<Item = Evidence> + use<> {
    let kind = (body.body.kind == owner.body.kind).then(|| Evidence {
        kind: "kind",
        text: text!("er samme slags organisation", "is the same kind of organisation"),
        weight: KIND,
    });
    let region = |organisation: &Organisation| organisation.body.nuts.as_ref()?.get(..REGION_CODE).map(str::to_owned);
    let is_near = region(body).is_some_and(|code| Some(code) == region(owner));
    let region = is_near.then(|| Evidence {
        kind: "region",
        text: text!("ligger i samme region", "lies in the same region"),
        weight: REGION,
    });
    kind.into_iter().chain(region)
}
