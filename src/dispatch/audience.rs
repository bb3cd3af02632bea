//! Whom a version concerns, and why.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::{Dispatch, Status, Surroundings, actions, ledger, store};
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::dialogue::{self, Version, VersionKind};
use crate::kernel::{Instant, Seal};
use crate::post;
use crate::post::store::{NoticeFor, queue_notices, told as heard};
use crate::subscription::store::{Listener, confirmed_among, listeners, listeners_at};
use crate::subscription::{Notice, Reason, Why};

/// How many subscriptions are looked at, and written in one transaction: few enough that the letters which go out
/// meanwhile, and everybody who writes, hardly wait.
const PAGE: i64 = 250;

/// What a dispatch tells, made ready once for all whom it may concern: all are asked by the same.
pub struct Told {
    version: Version,
    /// The versions before this one.
    earlier: Vec<String>,
    /// Who knew of a date that was moved must learn of it before that date.
    next_date: Option<Instant>,
    /// What filters look at.
    notice: Notice,
}

impl Told {
    fn of(connection: &mut AnyConnection, dispatch: &Dispatch, now: Instant) -> Result<Self, DbError> {
        let found = dialogue::store::find_version(connection, dispatch.notice_version_id)?;
        let version = Lift::new("dispatch", &dispatch.id).some("notice_version_id", found)?;
        let versions = dialogue::store::versions(connection, version.dialogue_id, now)?;
        let earlier: Vec<&Version> = versions.iter().filter(|other| other.number < version.number).collect();
        let dates = earlier.last().copied().into_iter().chain([&version]);
        let next_date = dates.filter_map(|one| one.notice.next_date(version.published_at)).min();
        let earlier = earlier.into_iter().map(|version| version.id.to_string()).collect();
        let found = dialogue::store::find(connection, version.dialogue_id, now)?;
        let dialogue = Lift::new("dialogue_version", &version.id).some("dialogue_id", found)?;
        let notice = Surroundings::default().notice_of(connection, &dialogue, &version.notice)?;
        Ok(Self { version, earlier, next_date, notice })
    }
}

/// A page of a dispatch's audience: whom it concerns of the subscriptions after the place where the dispatch stands.
pub struct Page {
    dispatch: Dispatch,
    told: Arc<Told>,
    concerned: Vec<(NoticeFor, Why)>,
    /// The last subscription that was looked at; none when it was the last of all.
    place: Option<String>,
}

impl Page {
    /// What its dispatch tells.
    #[must_use]
    pub fn told(&self) -> &Arc<Told> {
        &self.told
    }
}

/// The next page of the oldest open dispatch: found by reading alone, so that whoever writes need not wait for it. One
/// whose rows cannot be read waits alone. What is told may be `known` from the page before.
///
/// # Errors
/// [`DbError`].
pub fn next_page(
    connection: &mut AnyConnection,
    mut known: Option<Arc<Told>>,
    now: Instant,
) -> Result<Option<Page>, DbError> {
    for dispatch in store::in_status(connection, Status::Open, now)? {
        let told = match known.take_if(|told| told.version.id == dispatch.notice_version_id) {
            Some(told) => Ok(told),
            None => Told::of(connection, &dispatch, now).map(Arc::new),
        };
        match told.and_then(|told| page_of(connection, dispatch, told)) {
            Err(error @ DbError::Impossible { .. }) => tracing::error!(%error, "a dispatch waits that needs this row"),
            page => return page.map(Some),
        }
    }
    Ok(None)
}

fn page_of(connection: &mut AnyConnection, dispatch: Dispatch, told: Arc<Told>) -> Result<Page, DbError> {
    let Told { version, earlier, next_date, notice } = &*told;
    let published_at = version.published_at;
    let (page, place) = listeners(connection, &dispatch.place, published_at, PAGE)?;
    let told_before = if earlier.is_empty() {
        HashSet::new()
    } else {
        let keys: Vec<String> = page.iter().map(|listener| listener.email_key.clone()).collect();
        heard(connection, earlier, &keys)?
    };
    let why = |listener: &Listener| {
        let matched = match version.kind {
            VersionKind::Notice => listener.filter.matches(notice),
            VersionKind::Closing | VersionKind::Cancellation => {
                listener.filter.by_dialogue(notice).map(|reason| Why(vec![reason]))
            }
        };
        let again = || told_before.contains(&listener.email_key).then(|| Why(vec![Reason::ToldBefore]));
        matched.or_else(again)
    };
    let digest_at = |listener: &Listener| listener.frequency.due(published_at, *next_date);
    // An address hears once, by the first that goes of all its subscriptions that match.
    let patient: Vec<&str> = page
        .iter()
        .filter(|listener| digest_at(listener).is_some())
        .map(|listener| listener.email_key.as_str())
        .collect();
    let mut first: HashMap<String, Option<Instant>> = HashMap::new();
    if !patient.is_empty() {
        let all = listeners_at(connection, &patient, published_at)?;
        let mut of_address: HashMap<&str, usize> = HashMap::new();
        all.iter().for_each(|one| *of_address.entry(&one.email_key).or_default() += 1);
        // Most addresses have one subscription; its filter is asked once, below.
        let has_more = |one: &&Listener| of_address.get(one.email_key.as_str()).is_some_and(|count| *count > 1);
        for one in all.iter().filter(has_more).filter(|one| why(one).is_some()) {
            let at = digest_at(one);
            first.entry(one.email_key.clone()).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
    }
    let mut concerned = Vec::new();
    for listener in &page {
        let at = digest_at(listener);
        let is_first = first.get(&listener.email_key).is_none_or(|first| at <= *first);
        if is_first && let Some(why) = why(listener) {
            concerned.push((delivery_for(listener, &why, at)?, why));
        }
    }
    Ok(Page { dispatch, told, concerned, place })
}

/// Queues a letter for each of a page, unless somebody else has gone on with the dispatch meanwhile.
///
/// # Errors
/// [`DbError`].
pub fn enter_page(tx: &mut Tx<'_>, seal: &Seal, page: Page, now: Instant) -> Result<(), DbError> {
    let Page { dispatch, told, mut concerned, place } = page;
    let version = &told.version;
    if store::find(tx.connection, dispatch.id)?.as_ref() != Some(&dispatch) {
        return Ok(());
    }
    if dispatch.place.is_empty() {
        actions::enter_scheduled(tx, version, &dispatch)?;
    }
    // Whoever left since the page was read is told nothing more, and an address that was erased does not come back.
    let asked: Vec<&str> = concerned.iter().map(|(recipient, _)| recipient.subscription_id.as_str()).collect();
    let there = confirmed_among(tx.connection, &asked)?;
    concerned.retain(|(recipient, _)| there.contains(&recipient.subscription_id));
    if !concerned.is_empty() {
        let (recipients, why): (Vec<NoticeFor>, Vec<Why>) = concerned.into_iter().unzip();
        let (of, version_id) = (dispatch.id.to_string(), version.id.to_string());
        let new = queue_notices(tx, &of, &version_id, &recipients, now)?;
        let line = |(place, id): (usize, String)| {
            let (recipient, why) = recipients.get(place).zip(why.get(place))?;
            Some(Queued { id, to: post::keyed(seal, &recipient.email.key()), why })
        };
        let deliveries: Vec<_> = new.into_iter().filter_map(line).collect();
        if !deliveries.is_empty() {
            let data = ledger::OfVersion { version_id: &version_id, deliveries };
            ledger::append(tx, now, dispatch.dialogue_id.to_string(), "queued", &data)?;
        }
    }
    store::update(tx, &dispatch.expanded_to(place, now))
}

/// What the ledger says of one who is to be told.
#[derive(Serialize)]
struct Queued<'a> {
    id: String,
    to: String,
    why: &'a Why,
}

fn delivery_for(listener: &Listener, why: &Why, digest_at: Option<Instant>) -> Result<NoticeFor, DbError> {
    Ok(NoticeFor {
        email: listener.email.clone(),
        language: listener.language,
        subscription_id: listener.id.clone(),
        why: serde_json::to_string(why).map_err(|error| DbError::Refused(error.to_string()))?,
        digest_at,
    })
}
