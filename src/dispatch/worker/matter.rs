//! What it takes to write letters, looked up for many at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::db::{AnyConnection, DbError, Lift};
use crate::dialogue::{self, Version, difference};
use crate::dispatch::letters::News;
use crate::kernel::{Id, Instant, Seal};
use crate::mail::Failure;
use crate::post::{self, Content, Held, Task, Told};
use crate::process;
use crate::subscription::{self, Subscription, Why};

/// How many versions are kept at hand.
const KEPT: usize = 64;

/// What it takes to write one letter.
pub(super) struct Matter {
    /// Whose letter it is; none when it is wanted no longer.
    pub(super) subscription: Option<Subscription>,
    pub(super) news: Vec<(Arc<News>, Why)>,
    /// Why the address gets nothing any more.
    pub(super) suppressed: Option<String>,
}

/// What it takes to write a letter, or why it cannot be written.
pub(super) type Prepared = Result<Matter, Failure>;

/// The versions that letters tell of, kept for the next letters.
#[derive(Default)]
pub(super) struct AtHand(Mutex<HashMap<String, Arc<News>>>);

impl AtHand {
    fn kept(&self) -> MutexGuard<'_, HashMap<String, Arc<News>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The dialogue of each.
    pub(super) fn dialogues(&self) -> HashMap<String, String> {
        self.kept().iter().map(|(id, news)| (id.clone(), news.version.dialogue_id.to_string())).collect()
    }

    /// These versions, as far as they can be read; what is not kept yet is.
    fn all(
        &self,
        connection: &mut AnyConnection,
        versions: BTreeSet<&str>,
        now: Instant,
    ) -> Result<HashMap<String, Arc<News>>, DbError> {
        let mut found = HashMap::new();
        for id in versions {
            let known = self.kept().get(id).cloned();
            let news = match known {
                Some(news) => Some(news),
                None => readable(news(connection, id, now))?.map(Arc::new),
            };
            found.extend(news.map(|news| (id.to_owned(), news)));
        }
        let mut kept = self.kept();
        if kept.len() + found.len() > KEPT {
            kept.clear();
        }
        kept.extend(found.iter().map(|(id, news)| (id.clone(), Arc::clone(news))));
        Ok(found)
    }
}

/// Makes letters ready to be written.
///
/// # Errors
/// [`DbError`].
pub(super) fn prepare(
    connection: &mut AnyConnection,
    seal: &Seal,
    at_hand: &AtHand,
    mut held: Vec<Held>,
    leased_at: std::time::Instant,
    now: Instant,
) -> Result<Vec<Task<Prepared>>, DbError> {
    let told = held.iter().flat_map(|held| held.content.notices()).map(|told| told.notice_version_id.as_str());
    let news = at_hand.all(connection, told.collect(), now)?;
    held.iter_mut().for_each(|held| leave_out(held, |version| !news.contains_key(version)));
    let subscribers: Vec<&str> = held.iter().filter_map(|held| held.content.subscription_id()).collect();
    let hashes: Vec<String> = held.iter().map(|held| post::keyed(seal, &held.recipient.key())).collect();
    let (subscriptions, suppressed) = if subscribers.is_empty() {
        Default::default()
    } else {
        let suppressed = post::store::suppressed(connection, &hashes)?;
        (subscription::store::find_all(connection, &subscribers)?, suppressed.into_iter().collect())
    };
    let known = Known { news, subscriptions, suppressed };
    let task = |(held, hash): (Held, String)| Task { matter: known.matter(&held, &hash), held, leased_at };
    Ok(held.into_iter().zip(hashes).map(task).collect())
}

/// Leaves out of a digest what cannot be read, unless that is all: it stays on lease, and is taken up by itself when that
/// is over.
fn leave_out(held: &mut Held, is_unfit: impl Fn(&str) -> bool) {
    let Content::Digest { notices, .. } = &mut held.content else { return };
    let told = std::mem::take(notices).into_iter().zip(std::mem::take(&mut held.deliveries));
    let (unfit, fit): (Vec<_>, Vec<_>) = told.partition(|(told, _)| is_unfit(&told.notice_version_id));
    (*notices, held.deliveries) = if fit.is_empty() { unfit } else { fit }.into_iter().unzip();
    // The first names the letter.
    held.id = held.deliveries.first().copied().unwrap_or(held.id);
}

/// What was looked up for some letters.
struct Known {
    news: HashMap<String, Arc<News>>,
    subscriptions: HashMap<String, Result<Subscription, DbError>>,
    /// By the address's hash, why it gets nothing.
    suppressed: HashMap<String, String>,
}

impl Known {
    fn matter(&self, held: &Held, hash: &str) -> Prepared {
        let Some(subscription_id) = held.content.subscription_id() else {
            return Ok(Matter { subscription: None, news: Vec::new(), suppressed: None });
        };
        // One row that cannot be read stops the letters that need it, and no other.
        let unfit = |error: DbError| Failure::ForGood(error.to_string());
        let row = Lift::new("delivery", &held.id);
        let told = |told: &Told| {
            // A version concerns many: it is put right, rather than given up at once.
            let missing = || Failure::ForNow("the notice version cannot be read".to_owned());
            let news = self.news.get(&told.notice_version_id).ok_or_else(missing)?;
            Ok::<_, Failure>((news.clone(), row.json::<Why>("why", &told.why).map_err(unfit)?))
        };
        let subscription = self.subscriptions.get(subscription_id).cloned().transpose().map_err(unfit)?;
        Ok(Matter {
            subscription: subscription.filter(Subscription::is_confirmed),
            news: held.content.notices().iter().map(told).collect::<Result<_, _>>()?,
            suppressed: self.suppressed.get(hash).cloned(),
        })
    }
}

/// What was read; nothing, and a line in the log, for a row that cannot be.
fn readable<T>(read: Result<T, DbError>) -> Result<Option<T>, DbError> {
    match read {
        Err(error @ DbError::Impossible { .. }) => {
            tracing::error!(%error, "letters wait that need this row");
            Ok(None)
        }
        read => read.map(Some),
    }
}

fn news(connection: &mut AnyConnection, id: &str, now: Instant) -> Result<News, DbError> {
    let row = Lift::new("delivery", &id);
    let id: Id<Version> = row.id("notice_version_id", id)?;
    let version = row.some("notice_version_id", dialogue::store::find_version(connection, id)?)?;
    let versions = dialogue::store::versions(connection, version.dialogue_id, now)?;
    let before = versions.iter().rev().find(|other| other.number < version.number);
    let names = dialogue::store::lead_buyers(connection, before.into_iter().chain([&version]))?;
    let changes = before.map(|before| difference(&before.notice, &version.notice, &names)).unwrap_or_default();
    let dialogue = row.some("notice_version_id", dialogue::store::find(connection, version.dialogue_id, now)?)?;
    let process = process::store::find(connection, dialogue.process_id)?;
    let process_title = process.map(|process| process.body.title).unwrap_or_default();
    Ok(News::new(version, process_title, changes))
}
