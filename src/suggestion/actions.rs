//! The deeds on suggestions.

use chrono::TimeDelta;
use serde_json::json;

use super::letters::{self, End};
use super::{OutOfOrder, State, Suggestion, Told, store};
use crate::access::store::accounts_of;
use crate::access::{Member, Staff};
use crate::challenge::{self, Challenge, Description};
use crate::criteria::{self, Call};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Fit, Id, Instant, Language, OrganisationId, Seal, SealedFor, text};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{may_be_asked, queue_letter};
use crate::web::{Node, Problem};

/// How long the link for confirming is good, and how long a suggestion is kept that nobody confirms.
pub const CONFIRMATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// How long an invited body may answer by its link.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(60);

/// How long whoever made a suggestion may take it back by the link.
const FORGET_LIFETIME: TimeDelta = TimeDelta::days(2 * 365);

/// A call that takes suggestions.
///
/// # Errors
/// 404, 409 unless it is open.
pub fn open_call(connection: &mut AnyConnection, now: Instant, id: Id<Call>) -> Result<Call, Problem> {
    let call = criteria::store::find_call(connection, id)?.ok_or_else(Problem::not_found)?;
    if call.is_open(now) {
        return Ok(call);
    }
    let detail = text!("Indkaldelsen er ikke åben", "The call is not open");
    Err(Problem::conflict("call_closed", detail))
}

/// Takes a suggestion, and asks by mail whether it is really from there. What happens is the same for every address.
///
/// # Errors
/// 404, 409 unless the call is open.
pub fn suggest(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    call: Id<Call>,
    told: Fit<Told>,
    email: Email,
    language: Language,
) -> Result<(), Problem> {
    let call = open_call(tx.connection, now, call)?;
    if !may_be_asked(tx, &email, now)? {
        return Ok(());
    }
    let suggestion = Suggestion {
        id: Id::made_at(now),
        call_id: call.id,
        told: told.into_inner(),
        state: State::Unconfirmed,
        state_at: now,
        email: Some(email.clone()),
        language,
        left_at: now,
        version: 1,
    };
    store::insert(tx, &suggestion)?;
    let until = Some(now + CONFIRMATION_LIFETIME);
    let token = node.seal.token(SealedFor::ConfirmSuggestion, suggestion.id, until, suggestion.state.word());
    let url = node.url(&format!("/api/v1/suggestions/confirm/{token}"));
    let forget = node.seal.token(SealedFor::ForgetSuggestion, suggestion.id, Some(now + FORGET_LIFETIME), "");
    let forget = node.url(&format!("/api/v1/suggestions/forget/{forget}"));
    Ok(queue_letter(tx, &letters::confirm(&suggestion, &email, &call, (url, forget)), now)?)
}

/// The suggestion that a link to be forgotten names.
///
/// # Errors
/// 410 for a link that is altered or expired, or whose suggestion is gone.
pub fn forgettable(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<Suggestion, Problem> {
    let id: Id<Suggestion> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    if !node.seal.opens(token, SealedFor::ForgetSuggestion, id, "", now) {
        return Err(Problem::dead_link());
    }
    store::find(connection, id)?.ok_or_else(Problem::dead_link)
}

/// Forgets the address of whoever made a suggestion; the suggestion goes on, if it was confirmed.
///
/// # Errors
/// 410.
pub fn forget_address(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let suggestion = forgettable(tx.connection, node, now, token)?;
    if suggestion.state == State::Unconfirmed {
        return erase(tx, node, now, token);
    }
    let id = suggestion.id;
    store::update(tx, &Suggestion { email: None, version: suggestion.version + 1, ..suggestion })?;
    Ok(record(tx, Fact::new(Subject::Suggestion, id, "address_forgotten", Actor::visitor(), now))?)
}

/// Forgets a suggestion. One that a body took on stays as the beginning of its challenge, without a word.
///
/// # Errors
/// 410.
pub fn erase(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let suggestion = forgettable(tx.connection, node, now, token)?;
    let id = suggestion.id;
    if matches!(suggestion.state, State::Accepted { .. }) {
        let (told, version) = (Told::erased(), suggestion.version + 1);
        store::update(tx, &Suggestion { told, email: None, version, ..suggestion })?;
    } else {
        store::delete(tx, id)?;
    }
    Ok(record(tx, Fact::new(Subject::Suggestion, id, "erased", Actor::visitor(), now))?)
}

/// Confirms a suggestion by the link in the mail: from now on it waits for CO-PI.
///
/// # Errors
/// 410 for a link that is altered, expired or used.
pub fn confirm(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Suggestion, Problem> {
    let id: Id<Suggestion> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let suggestion = store::find(tx.connection, id)?.ok_or_else(Problem::dead_link)?;
    if !node.seal.opens(token, SealedFor::ConfirmSuggestion, id, suggestion.state.word(), now) {
        return Err(Problem::dead_link());
    }
    let confirmed = suggestion.confirm(now).map_err(|_| Problem::dead_link())?;
    store::update(tx, &confirmed)?;
    let fact = Fact::new(Subject::Suggestion, id, "confirmed", Actor::visitor(), now);
    record(tx, fact.with(json!({"call_id": confirmed.call_id})))?;
    Ok(confirmed)
}

/// A suggestion that somebody confirmed.
///
/// # Errors
/// 404.
pub fn confirmed(connection: &mut AnyConnection, id: Id<Suggestion>) -> Result<Suggestion, Problem> {
    let found = store::find(connection, id)?.filter(|suggestion| suggestion.state != State::Unconfirmed);
    found.ok_or_else(Problem::not_found)
}

/// Asks a body to own a suggestion: by mail to its people, or to the address that is given.
///
/// # Errors
/// 404, 409 when it is settled, 422 for an unknown body and for one that nobody would get the letter of.
pub fn invite(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<Suggestion>,
    body: OrganisationId,
    (email, note, language): (Option<Email>, &str, Language),
) -> Result<Suggestion, Problem> {
    let organisation = organisation::store::find(tx.connection, body)?.ok_or_else(|| {
        Problem::unfit(
            "/organisation_id",
            "unknown",
            text!("Organisationen findes ikke", "The organisation does not exist"),
        )
    })?;
    let invited = confirmed(tx.connection, id)?.invite(body, now)?;
    let mut recipients: Vec<Email> = email.into_iter().collect();
    if recipients.is_empty() {
        recipients.extend(accounts_of(tx.connection, body)?.into_iter().map(|account| account.email));
    }
    if recipients.is_empty() {
        let detail = text!(
            "Ingen fra organisationen har adgang; skriv en mailadresse",
            "Nobody of the body has an account; give an e-mail address"
        );
        return Err(Problem::unfit("/email", "required", detail));
    }
    store::update(tx, &invited)?;
    let call = call_of(tx.connection, &invited)?;
    let until = Some(now + INVITATION_LIFETIME);
    let token = node.seal.token(SealedFor::AnswerInvitation, id, until, &invitation_state(&invited));
    let url = node.url(&format!("/api/v1/suggestions/invitation/{token}"));
    let name = &organisation.body.name;
    for to in &recipients {
        queue_letter(tx, &letters::invitation(to, language, &invited, &call, (name, note), url.clone()), now)?;
    }
    let fact = Fact::new(Subject::Suggestion, id, "invited", staff.actor(), now);
    let fact = Fact { reason: Some(note.to_owned()).filter(|note| !note.is_empty()), ..fact };
    record(tx, fact.with(json!({"organisation_id": body, "organisation": name})))?;
    Ok(invited)
}

/// What the link of an invitation is bound to: another invitation, or an answer, makes it void.
fn invitation_state(suggestion: &Suggestion) -> String {
    format!("{}:{}", suggestion.state.word(), suggestion.version)
}

/// The suggestion and the body that an invitation's link names.
///
/// # Errors
/// 410 for a link that is altered, expired, answered or overtaken by another invitation.
pub fn invited_by(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
) -> Result<(Suggestion, OrganisationId), Problem> {
    let id: Id<Suggestion> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    let suggestion = store::find(connection, id)?.ok_or_else(Problem::dead_link)?;
    let State::Invited { organisation_id } = suggestion.state else { return Err(Problem::dead_link()) };
    if node.seal.opens(token, SealedFor::AnswerInvitation, id, &invitation_state(&suggestion), now) {
        Ok((suggestion, organisation_id))
    } else {
        Err(Problem::dead_link())
    }
}

/// Who answers for an invited body.
pub struct Answering {
    body: OrganisationId,
    actor: Actor,
}

impl Answering {
    /// One of its people, signed in.
    #[must_use]
    pub fn member(member: &Member) -> Self {
        Self { body: member.organisation_id(), actor: member.actor() }
    }

    /// Whoever has the link of the invitation.
    #[must_use]
    pub fn by_link(body: OrganisationId) -> Self {
        Self { body, actor: Actor { organisation_id: Some(body.to_string()), ..Actor::visitor() } }
    }
}

/// The invited body owns the suggestion from now on: as a draft challenge that remembers where it came from.
///
/// # Errors
/// 404, 409 unless the body is invited.
pub fn accept(
    tx: &mut Tx<'_>,
    now: Instant,
    answering: &Answering,
    id: Id<Suggestion>,
    title: Option<String>,
) -> Result<Challenge, Problem> {
    let suggestion = confirmed(tx.connection, id)?;
    let Answering { body, actor } = answering;
    require_invited(&suggestion, *body)?;
    let title = title.unwrap_or_else(|| headline(&suggestion.told.what));
    let description = Description {
        call_id: Some(suggestion.call_id),
        affected_users: suggestion.told.who.clone(),
        theme: call_of(tx.connection, &suggestion)?.body.theme,
        language: suggestion.language.tag().to_owned(),
        ..Description::of(title, suggestion.told.what.clone())
    };
    let challenge = challenge::actions::draft(tx, now, *body, actor.clone(), Fit::check(description)?)?;
    let accepted = suggestion.accept(*body, challenge.id, now)?;
    let owner = organisation::store::find(tx.connection, *body)?.map(|owner| owner.body.name).unwrap_or_default();
    let accepted = end(tx, now, accepted, &End::Accepted { body: &owner })?;
    let particulars = json!({"challenge_id": challenge.id, "suggestion_id": id});
    let grew = Fact::new(Subject::Challenge, challenge.id, "grew_from_suggestion", actor.clone(), now);
    record(tx, grew.with(particulars.clone()))?;
    record(tx, Fact::new(Subject::Suggestion, accepted.id, "accepted", actor.clone(), now).with(particulars))?;
    Ok(challenge)
}

/// The invited body says no, and perhaps why: the suggestion waits for CO-PI again.
///
/// # Errors
/// 404, 409 unless the body is invited.
pub fn decline(
    tx: &mut Tx<'_>,
    now: Instant,
    answering: &Answering,
    id: Id<Suggestion>,
    reason: Option<String>,
) -> Result<Suggestion, Problem> {
    let suggestion = confirmed(tx.connection, id)?;
    require_invited(&suggestion, answering.body)?;
    let declined = suggestion.decline(answering.body, now)?;
    store::update(tx, &declined)?;
    let fact = Fact::new(Subject::Suggestion, id, "declined", answering.actor.clone(), now);
    record(tx, Fact { reason, ..fact }.with(json!({"organisation_id": answering.body})))?;
    Ok(declined)
}

/// What no body is invited to is not there for it.
fn require_invited(suggestion: &Suggestion, body: OrganisationId) -> Result<(), Problem> {
    match suggestion.state {
        State::Invited { organisation_id } | State::Accepted { organisation_id, .. } if organisation_id == body => {
            Ok(())
        }
        _ => Err(Problem::not_found()),
    }
}

/// CO-PI does not go on with it, and says why.
///
/// # Errors
/// 404, 409 when it is settled.
pub fn set_aside(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Suggestion>,
    reason: String,
) -> Result<Suggestion, Problem> {
    let aside = confirmed(tx.connection, id)?.set_aside(reason.clone(), now)?;
    let aside = end(tx, now, aside, &End::SetAside { reason: &reason })?;
    record(tx, Fact::new(Subject::Suggestion, id, "set_aside", staff.actor(), now).because(reason))?;
    Ok(aside)
}

/// Stores a suggestion that is settled: whoever made it hears of it once more and is forgotten.
fn end(tx: &mut Tx<'_>, now: Instant, settled: Suggestion, end: &End<'_>) -> Result<Suggestion, Problem> {
    if let Some(email) = &settled.email {
        let call = call_of(tx.connection, &settled)?;
        queue_letter(tx, &letters::ended(&settled, email, &call, end), now)?;
    }
    let settled = Suggestion { email: None, ..settled };
    store::update(tx, &settled)?;
    Ok(settled)
}

/// The call of a suggestion.
///
/// # Errors
/// Those of the database.
pub fn call_of(connection: &mut AnyConnection, suggestion: &Suggestion) -> Result<Call, Problem> {
    let call = criteria::store::find_call(connection, suggestion.call_id)?;
    call.ok_or_else(|| Problem::internal(&"the call of a suggestion is gone"))
}

/// The beginning of a text as a title: its first sentence, at most 100 characters.
#[must_use]
pub fn headline(words: &str) -> String {
    const MOST: usize = 100;
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_inclusive(['.', '!', '?']).next().unwrap_or(&line).trim_end_matches('.');
    if sentence.chars().count() <= MOST {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(MOST - 1).collect();
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole);
    format!("{whole}…")
}

impl From<OutOfOrder> for Problem {
    fn from(OutOfOrder { is }: OutOfOrder) -> Self {
        let is = is.name();
        let (da, en) = (is.da, is.en);
        Self::conflict("wrong_state", text!("Forslaget er nu: {da}", "The suggestion is now: {en}"))
    }
}

#[cfg(test)]
mod tests {
    use super::headline;

    #[test]
    fn a_title_is_the_first_sentence_cut_between_words() {
        assert_eq!(headline("Vi kører forgæves.  Hver dag."), "Vi kører forgæves");
        assert_eq!(headline(""), "");
        let long = headline(&"ældre borgere ".repeat(20));
        assert!(long.chars().count() <= 100 && long.ends_with("borgere…"), "{long}");
    }
}
