//! Asking sponsors, and hearing them.

use serde_json::json;

use super::judge::require_no_cpr;
use super::{hear, own, tell_owner};
use crate::access::{Member, store as accounts};
use crate::challenge::sponsor::{Answer, Dead, LIFETIME, Refusal, SponsorRequest, text_digest};
use crate::challenge::{Challenge, OutOfOrder, Status, letters, store};
use crate::criteria::{Backing, Side, Sponsor};
use crate::db::{AnyConnection, Tx};
use crate::kernel::privacy::has_cpr;
use crate::kernel::{Email, Flaws, Id, Instant, Language, Seal, SealedFor, Text, text};
use crate::organisation::store::names;
use crate::outbox::{Actor, Fact, Subject};
use crate::post::store::{may_be_asked, queue_letter};
use crate::web::{Node, Problem};

/// Asks the sponsors whom a challenge names, by mail, whether they stand behind it; asking again reminds them.
///
/// # Errors
/// 404 and 403 for others' challenges, 409 for one that is over or a sponsor who confirmed this very text, 422 for a side
/// without a sponsor, one address for both, the asker's own, or a CPR number in the text, 429 too soon after the last mail.
pub fn ask_sponsors(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    member: &Member,
    id: Id<Challenge>,
    addresses: Vec<(Side, Email)>,
    language: Language,
) -> Result<Challenge, Problem> {
    const ALIVE: &[Status] = &[Status::Draft, Status::Submitted, Status::Returned, Status::Approved, Status::Grouped];
    let mut challenge = own(tx, member, id)?;
    let is = challenge.stage.status();
    if !ALIVE.contains(&is) {
        return Err(OutOfOrder::Stage { is, allowed: ALIVE }.into());
    }
    require_no_cpr(&challenge.description)?;
    require_two_others(tx.connection, member, &addresses)?;
    for (side, email) in addresses {
        challenge = ask(tx, node, now, member, challenge, side, email, language)?;
    }
    Ok(challenge)
}

/// Where in the request a side's address is.
fn pointer(side: Side) -> String {
    format!("/{}_email", side.word())
}

/// The sponsors are two people, and neither is whoever asks.
fn require_two_others(
    connection: &mut AnyConnection,
    member: &Member,
    addresses: &[(Side, Email)],
) -> Result<(), Problem> {
    let mut flaws = Flaws::default();
    let asker = match &member.actor().user_id.and_then(|id| id.parse().ok()) {
        Some(user) => accounts::account(connection, *user)?.map(|account| account.email.key()),
        None => None,
    };
    for (index, (side, email)) in addresses.iter().enumerate() {
        if asker.as_ref().is_some_and(|own| *own == email.key()) {
            let words = text!(
                "Det er din egen adresse; sponsoren skal selv svare",
                "This is your own address; the sponsor must answer in person"
            );
            flaws.add(&pointer(*side), "own_address", words);
        }
        if addresses.iter().take(index).any(|(_, other)| other.key() == email.key()) {
            let words = text!("De to skal have hver sin adresse", "The two must have an address each");
            flaws.add(&pointer(*side), "same_address", words);
        }
    }
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a deed names who, what, when and whom; a struct for it would name them twice"
)]
fn ask(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    member: &Member,
    challenge: Challenge,
    side: Side,
    email: Email,
    language: Language,
) -> Result<Challenge, Problem> {
    let told = &challenge.description;
    let sponsor = told.anchoring.as_ref().and_then(|anchoring| anchoring.sponsor(side)).cloned().ok_or_else(|| {
        let Text { da, en } = side.name();
        let words = text!(
            "Nævn først den {da}e leder med navn, titel og dato i udfordringen",
            "First name the {en} leader with name, title and date in the challenge"
        );
        Problem::unfit(&pointer(side), "sponsor_not_named", words)
    })?;
    let earlier = store::sponsor_requests(tx.connection, challenge.id)?.into_iter().find(|one| one.side == side);
    require_due(earlier.as_ref(), &challenge, &sponsor, &email, now)?;
    if !may_be_asked(tx, &email, now)? {
        let words = text!(
            "Adressen har fået mange mails for nylig. Prøv igen i morgen",
            "The address got many mails lately. Try again tomorrow"
        );
        return Err(Problem::too_soon(86_400, words));
    }
    let reminder = earlier.as_ref().is_some_and(|one| {
        one.require_open(told, now).is_ok() && one.email.as_ref().is_some_and(|known| known.key() == email.key())
    });
    let before = earlier.as_ref().filter(|one| one.is_to(&sponsor)).and_then(|one| one.refusal().cloned());
    let request = SponsorRequest {
        id: earlier.filter(|_| reminder).map_or_else(|| Id::made_at(now), |one| one.id),
        challenge_id: challenge.id,
        side,
        name: sponsor.name,
        title: sponsor.title,
        email: Some(email.clone()),
        language,
        text_digest: text_digest(told, side),
        answer: Answer::Waiting { before },
        asked_by: member.actor().name,
        asked_at: now,
        mailed_at: now,
        expires_at: now + LIFETIME,
    };
    store::put_sponsor_request(tx, &request)?;
    let seal = node.seal.token(SealedFor::SponsorChallenge, request.id, Some(request.expires_at), &request.text_digest);
    let owner = owner_name(tx.connection, &challenge)?;
    queue_letter(tx, &letters::ask_sponsor(node, &challenge, &owner, &request, &email, &seal), now)?;
    // Where the mail went is kept as far as it tells whose it is; whom it is, the name says.
    let domain = email.as_str().rsplit('@').next().unwrap_or_default().to_owned();
    let particulars = json!({"side": side, "name": request.name, "title": request.title, "mail_domain": domain});
    let deed = if reminder { "sponsor_reminded" } else { "sponsor_asked" };
    let fact = Fact::new(Subject::Challenge, challenge.id, deed, member.actor(), now).with(particulars);
    hear(tx, now, challenge, fact)
}

fn require_due(
    earlier: Option<&SponsorRequest>,
    challenge: &Challenge,
    sponsor: &Sponsor,
    email: &Email,
    now: Instant,
) -> Result<(), Problem> {
    let Some(earlier) = earlier else { return Ok(()) };
    let name = &sponsor.name;
    if matches!(earlier.backing(&challenge.description), Backing::Confirmed { .. }) {
        let words = text!("{name} har allerede bekræftet denne tekst", "{name} has confirmed this text already");
        return Err(Problem::conflict("already_confirmed", words));
    }
    let Some(until) = earlier.left_in_peace_until(&challenge.description, email, now) else { return Ok(()) };
    let seconds = u64::try_from((until - now).num_seconds()).unwrap_or_default().max(1);
    let hours = seconds.div_ceil(3600);
    let words = text!(
        "{name} har fået en mail eller svaret inden for det seneste døgn. Spørg igen om {hours} time(r)",
        "{name} got a mail or answered within the last day. Ask again in {hours} hour(s)"
    );
    Err(Problem::too_soon(seconds, words))
}

fn owner_name(connection: &mut AnyConnection, challenge: &Challenge) -> Result<String, Problem> {
    let owner = challenge.organisation_id;
    Ok(names(connection, &[owner])?.remove(&owner).unwrap_or_default())
}

/// The request that a link opens, with its challenge and the owner's name; and whether it may still be answered.
///
/// # Errors
/// 410 for a link that is altered, meant for something else, used, expired, or about a text that changed; each says so.
pub fn sponsor_of_link(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<(SponsorRequest, Challenge, String), Problem> {
    let unknown = || {
        let words = text!(
            "Linket kendes ikke: det er ændret eller afløst af et nyere. Brug det nyeste, eller bed om et nyt",
            "The link is unknown: it was altered, or a newer one took its place. Use the newest, or ask for a new one"
        );
        Problem::gone("link_unknown", words)
    };
    let id: Id<SponsorRequest> = Seal::named_by(token).ok_or_else(unknown)?;
    let request = store::find_sponsor_request(connection, id)?.ok_or_else(unknown)?;
    // Whether it is genuine is asked of the moment it was mailed: what is wrong beside that gets an answer of its own.
    if !node.seal.opens(token, SealedFor::SponsorChallenge, id, &request.text_digest, request.asked_at) {
        return Err(unknown());
    }
    let challenge = store::find(connection, request.challenge_id)?.ok_or_else(unknown)?;
    if matches!(challenge.stage.status(), Status::Withdrawn | Status::Declined) {
        let words = text!("Udfordringen er ikke længere i gang", "The challenge is no longer going on");
        return Err(Problem::gone("link_void", words));
    }
    let too_late = !node.seal.opens(token, SealedFor::SponsorChallenge, id, &request.text_digest, now);
    let dead = request.require_open(&challenge.description, now).err().or(too_late.then_some(Dead::Expired));
    let by = &request.asked_by;
    match dead {
        None => {}
        Some(Dead::Used) => {
            let words = text!("Du har allerede svaret. Tak", "You have answered already. Thank you");
            return Err(Problem::gone("link_used", words));
        }
        Some(Dead::Expired) => {
            let words = text!("Linket er udløbet. Bed {by} om et nyt", "The link has expired. Ask {by} for a new one");
            return Err(Problem::gone("link_expired", words));
        }
        Some(Dead::TextChanged) => {
            let words = text!(
                "Teksten er ændret, efter at du fik mailen, så linket gælder ikke længere. Bed {by} om et nyt med den nye tekst",
                "The text was changed after you got the mail, so the link no longer holds. Ask {by} for a new one with the new text"
            );
            return Err(Problem::gone("text_changed", words));
        }
    }
    let owner = owner_name(connection, &challenge)?;
    Ok((request, challenge, owner))
}

/// A sponsor says yes or no by the link in the mail; the assessment moves at once and the owner is told.
///
/// # Errors
/// As [`sponsor_of_link`]; 422 for a reason with a CPR number in it.
pub fn answer_sponsor(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    token: &str,
    yes: bool,
    reason: Option<String>,
) -> Result<SponsorRequest, Problem> {
    let (request, challenge, _) = sponsor_of_link(tx.connection, node, now, token)?;
    if reason.as_deref().is_some_and(has_cpr) {
        let words = text!("Fjern CPR-nummeret; begrundelsen vises", "Remove the CPR number; the reason is shown");
        return Err(Problem::unfit("/reason", "cpr_number", words));
    }
    let answer =
        if yes { Answer::Confirmed { at: now } } else { Answer::Refused(Refusal { at: now, reason: reason.clone() }) };
    let request = request.answered(answer);
    store::put_sponsor_request(tx, &request)?;
    let owner = Some(challenge.organisation_id.to_string());
    let by = Actor { user_id: None, name: request.name.clone(), organisation_id: owner };
    let deed = if yes { "sponsor_confirmed" } else { "sponsor_refused" };
    let fact = Fact::new(Subject::Challenge, challenge.id, deed, by, now);
    let fact = Fact { reason: reason.clone().filter(|_| !yes), ..fact };
    let fact = fact.with(json!({"side": request.side, "title": request.title, "text_digest": request.text_digest}));
    let challenge = hear(tx, now, challenge, fact)?;
    let name = &request.name;
    let (news, words) = if yes {
        (
            format!("{name} står bag jeres udfordring"),
            "Teksten er bekræftet, som den står. Ændrer I den, skal den bekræftes igen.".to_owned(),
        )
    } else {
        let why = reason.unwrap_or_else(|| "Der er ikke givet nogen begrundelse.".to_owned());
        (format!("{name} vil ikke stå bag jeres udfordring"), why)
    };
    tell_owner(tx, now, node, &challenge, &news, &words)?;
    Ok(request)
}

/// Forgets the addresses of sponsors whose link no longer holds, since the text changed or the challenge is over.
pub(super) fn let_go(tx: &mut Tx<'_>, challenge: &Challenge, asked: &[SponsorRequest]) -> Result<(), Problem> {
    let over = matches!(challenge.stage.status(), Status::Withdrawn | Status::Declined);
    for request in asked.iter().filter(|one| one.email.is_some() && (over || !one.holds_for(&challenge.description))) {
        store::forget_sponsor_address(tx, request.id)?;
    }
    Ok(())
}
