//! Whom a version concerns, and why.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;

use super::{Dispatch, Status, ledger, store};
use crate::challenge;
use crate::db::{AnyConnection, DbError, Tx};
use crate::dialogue::{self, Dialogue, Version, VersionKind};
use crate::kernel::{Cpv, Email, Id, Instant, Language, Nuts, Seal, fold};
use crate::matching::concern::Concern;
use crate::matching::lexicon::house;
use crate::matching::need::Need;
use crate::post;
use crate::post::store::{NoticeFor, queue_notices, told};
use crate::process::{self, Process};
use crate::subscription::store::{Listener, listeners};
use crate::subscription::{Notice, Reason, Why, words_of};

/// How many subscriptions one transaction looks at: enough to be quick, few enough that nobody waits long to write.
const PAGE: i64 = 1000;

/// Goes on with the oldest open dispatch by one page; returns whether there was one.
pub(super) fn expand_page(tx: &mut Tx<'_>, seal: &Seal, now: Instant) -> Result<bool, DbError> {
    let Some(dispatch) = store::in_status(tx.connection, Status::Open)?.into_iter().next() else { return Ok(false) };
    let version = required_version(tx.connection, &dispatch)?;
    let versions = dialogue::store::versions(tx.connection, version.dialogue_id)?;
    let earlier: Vec<&Version> = versions.iter().filter(|other| other.number < version.number).collect();
    let notice = match version.kind {
        VersionKind::Notice => Some(prepared(tx.connection, &version)?),
        VersionKind::Closing | VersionKind::Cancellation => None,
    };
    // Who knew of a date that was moved must learn of it before that date.
    let published_at = version.published_at;
    let dates = earlier.last().copied().into_iter().chain([&version]);
    let next_date = dates.filter_map(|version| version.notice.next_date(published_at)).min();

    let page = listeners(tx.connection, &dispatch.place, published_at, PAGE)?;
    let told_before = if earlier.is_empty() {
        HashSet::new()
    } else {
        let ids: Vec<String> = earlier.iter().map(|version| version.id.to_string()).collect();
        let keys: Vec<String> = page.iter().map(|listener| listener.email_key.clone()).collect();
        told(tx.connection, &ids, &keys)?
    };
    let mut concerned = Vec::new();
    for listener in &page {
        let matched = notice.as_ref().and_then(|notice| listener.filter.matches(notice));
        let again = || told_before.contains(&listener.email_key).then(|| Why(vec![Reason::ToldBefore]));
        if let Some(why) = matched.or_else(again) {
            let digest_at = listener.frequency.due(published_at, next_date);
            concerned.push((delivery_for(listener, &why, digest_at)?, why));
        }
    }
    if !concerned.is_empty() {
        let (recipients, why): (Vec<NoticeFor>, Vec<Why>) = concerned.into_iter().unzip();
        let (of, version_id) = (dispatch.id.to_string(), version.id.to_string());
        let new = queue_notices(tx, &of, &version_id, &recipients, now)?;
        let entry = |(place, id): (usize, String)| {
            let (recipient, why) = recipients.get(place).zip(why.get(place))?;
            Some(json!({"id": id, "to": post::keyed(seal, &recipient.email.key()), "why": why}))
        };
        let queued: Vec<_> = new.into_iter().filter_map(entry).collect();
        if !queued.is_empty() {
            let told = json!({"version_id": version.id, "deliveries": queued});
            ledger::append(tx, now, dispatch.dialogue_id.to_string(), "queued", &told)?;
        }
    }
    let whole = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
    let place = page.last().filter(|_| whole).map(|listener| listener.id.clone());
    store::update(tx, &dispatch.expanded_to(place, now))?;
    Ok(true)
}

fn delivery_for(listener: &Listener, why: &Why, digest_at: Option<Instant>) -> Result<NoticeFor, DbError> {
    let row = crate::db::Lift::new("subscription", &listener.id);
    Ok(NoticeFor {
        email: row.some("email", Email::parse(&listener.email))?,
        language: row.some("language", Language::from_tag(&listener.language))?,
        subscription_id: listener.id.clone(),
        why: serde_json::to_string(why).map_err(|error| DbError::Refused(error.to_string()))?,
        digest_at,
    })
}

fn required_version(connection: &mut AnyConnection, dispatch: &Dispatch) -> Result<Version, DbError> {
    let id = dispatch.notice_version_id;
    let found = dialogue::store::find_version(connection, id)?;
    crate::db::Lift::new("dispatch", &dispatch.id).some("notice_version_id", found)
}

/// What filters look at, of a version.
pub(super) fn prepared(connection: &mut AnyConnection, version: &Version) -> Result<Notice, DbError> {
    let found = dialogue::store::find(connection, version.dialogue_id)?;
    let dialogue = crate::db::Lift::new("dialogue_version", &version.id).some("dialogue_id", found)?;
    notice_of(connection, &dialogue, &version.notice)
}

/// What filters look at, of a notice.
pub(super) fn notice_of(
    connection: &mut AnyConnection,
    dialogue: &Dialogue,
    notice: &dialogue::Notice,
) -> Result<Notice, DbError> {
    let (process_title, mut themes) = about_process(connection, dialogue.process_id)?;
    themes.extend(notice.themes.iter().cloned());
    let text = format!("{}\n{}\n{}\n{process_title}", notice.title, notice.description, themes.join("\n"));
    let lexicon = house::lexicon().map_err(DbError::Refused)?;
    let need = Need { title: notice.title.clone(), ..Need::from_text(&text, None) };
    Ok(Notice {
        cpv: notice.cpv.iter().filter_map(|code| Cpv::parse(code)).collect(),
        nuts: notice.nuts.iter().filter_map(|code| Nuts::parse(code)).collect(),
        themes: themes.into_iter().map(|theme| (theme.clone(), fold(&theme))).collect(),
        process_id: dialogue.process_id,
        process_title,
        words: words_of(&text),
        concern: Some(Arc::new(Concern::of(lexicon, &need))),
    })
}

/// The process's title, and the themes of its challenges.
fn about_process(connection: &mut AnyConnection, id: Id<Process>) -> Result<(String, Vec<String>), DbError> {
    let process = process::store::find(connection, id)?;
    let mut themes: Vec<String> = challenge::store::in_process(connection, &id.to_string())?
        .into_iter()
        .map(|challenge| challenge.description.theme)
        .filter(|theme| !theme.is_empty())
        .collect();
    themes.sort_unstable();
    themes.dedup();
    Ok((process.map(|process| process.body.title).unwrap_or_default(), themes))
}
