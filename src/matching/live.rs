//! The index as it lives in one node: derived from the database, filled when the node starts, kept up by reading what
//! changed since it was last asked, and gone without harm. A question asked after a write was answered sees that write,
//! on every node.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::explain::Reason;
use super::group::{Group, Grouping};
use super::index::{Index, Match, Settings};
use super::lexicon::house;
use super::need::Need;
use super::store;
use super::text::language::Language as TextLanguage;
use super::verdict::Said;
use crate::challenge::{self, Challenge, Description, Status};
use crate::db::{AnyConnection, Db, DbError};
use crate::kernel::{Cursor, Id};

/// How many changes are read at a time.
const PAGE: i64 = 500;

/// When the first reading is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What is less likely than this to be the same need is not worth anybody's time.
const LEAST: f32 = 0.02;

/// One challenge that is like another, and why.
#[derive(Clone, Debug)]
pub struct Likeness {
    pub challenge: Id<Challenge>,
    /// How likely it is the same need, 0 to 1.
    pub score: f32,
    pub reasons: Vec<Reason>,
}

/// An index of these needs, whoever keeps them, for as long as somebody looks at it.
///
/// # Errors
/// [`DbError`].
pub fn shelved<K: Clone + Ord + Hash>(needs: impl IntoIterator<Item = (K, Need)>) -> Result<Index<K>, DbError> {
    let mut index = Index::new(house::lexicon().map_err(DbError::Refused)?, Settings::default());
    for (key, need) in needs {
        index.put(key, &need);
    }
    Ok(index)
}

/// The challenges that bodies share, as an index of needs.
pub struct Live {
    shelf: RwLock<Shelf>,
    /// Held by the one who reads what changed: whoever comes meanwhile waits for it instead of reading the same.
    reading: Mutex<()>,
    /// Whether all that was there at the start is read.
    filled: watch::Sender<bool>,
}

struct Shelf {
    /// None until there is something to compare: the lexicon is not read for an empty house.
    index: Option<Index<Id<Challenge>>>,
    /// The last change that was read.
    seen: Cursor,
}

impl Default for Live {
    fn default() -> Self {
        let seen = Cursor { changed: 0, id: String::new() };
        Self {
            shelf: RwLock::new(Shelf { index: None, seen }),
            reading: Mutex::default(),
            filled: watch::Sender::new(false),
        }
    }
}

impl Live {
    /// Reads all that is there, beside those who are served: page by page, so that no reader of the database is held for
    /// long. What stands in the way is tried again.
    pub async fn fill(self: Arc<Self>, db: Db) {
        loop {
            let live = Arc::clone(&self);
            match db.read(move |connection| live.read_page(connection)).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "the matching index is not filled yet");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
        self.change(|shelf| shelf.index.as_mut().map(Index::tighten));
        self.filled.send_replace(true);
    }

    /// Waits until all that was there at the start is read. Who asks waits here, where no reader of the database is held.
    pub async fn filled(&self) {
        // It cannot be closed: it is part of what is looked at.
        self.filled.subscribe().wait_for(|filled| *filled).await.ok();
    }

    /// Reads what changed since the last question.
    fn catch_up(&self, connection: &mut AnyConnection) -> Result<(), DbError> {
        while self.read_page(connection)? {}
        Ok(())
    }

    /// Reads some of what changed; whether there was any.
    fn read_page(&self, connection: &mut AnyConnection) -> Result<bool, DbError> {
        let _alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.look(|shelf| shelf.seen.clone());
        let changes = challenge::store::changed_since(connection, &seen, PAGE)?;
        let Some(last) = changes.last().map(|(place, ..)| place.clone()) else { return Ok(false) };
        if changes.iter().any(|(_, _, told)| told.is_some()) {
            self.open()?;
        }
        // Reading a text takes longer than shelving it, and needs no lock.
        let read = |(_, id, told): (Cursor, Id<Challenge>, Option<Description>)| {
            (id, told.and_then(|told| self.look(|shelf| Some(shelf.index.as_ref()?.read(&need(&told))))))
        };
        let read: Vec<_> = changes.into_iter().map(read).collect();
        self.change(|shelf| {
            for (id, profile) in read {
                match (&mut shelf.index, profile) {
                    (Some(index), Some(profile)) => index.put_read(id, profile),
                    (Some(index), None) => {
                        index.remove(&id);
                    }
                    (None, _) => {}
                }
            }
            shelf.seen = last;
        });
        Ok(true)
    }

    /// Makes the index, if there is none.
    fn open(&self) -> Result<(), DbError> {
        if self.look(|shelf| shelf.index.is_some()) {
            return Ok(());
        }
        let lexicon = house::lexicon().map_err(DbError::Refused)?;
        self.change(|shelf| {
            shelf.index.get_or_insert_with(|| Index::new(lexicon, Settings::default()));
        });
        Ok(())
    }

    /// The shared challenges most like a description, best first; `itself` is left out.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn like(
        &self,
        connection: &mut AnyConnection,
        told: &Description,
        itself: Option<Id<Challenge>>,
        limit: usize,
    ) -> Result<Vec<Likeness>, DbError> {
        self.catch_up(connection)?;
        Ok(self.look(|shelf| {
            let Some(index) = &shelf.index else { return Vec::new() };
            let profile = index.read(&need(told));
            let mut found = index.like_profile(&profile, itself.as_ref(), limit);
            found.retain(|found| found.score >= LEAST);
            let reasons = index.why_each(&profile, found.iter().map(|found| &found.key));
            let likenesses = found.into_iter().zip(reasons);
            let likenesses =
                likenesses.map(|(Match { key, score, .. }, reasons)| Likeness { challenge: key, score, reasons });
            likenesses.filter(|likeness| !likeness.reasons.is_empty()).collect()
        }))
    }

    /// The shared challenges that speak of these words, best first, each with the share of them that it answers.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn find(
        &self,
        connection: &mut AnyConnection,
        words: &str,
        limit: usize,
    ) -> Result<Vec<(Id<Challenge>, f32)>, DbError> {
        self.catch_up(connection)?;
        Ok(self.look(|shelf| {
            let Some(index) = &shelf.index else { return Vec::new() };
            index.find(&index.read(&Need::from_text(words, None)), limit)
        }))
    }

    /// The shared challenges most like one that is stored, with what people said: a verdict stands in the score's place
    /// and brings in challenges that nothing else speaks for.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn like_stored(
        &self,
        connection: &mut AnyConnection,
        asked: &Challenge,
        limit: usize,
    ) -> Result<Vec<(Likeness, Option<Said>)>, DbError> {
        let verdicts = store::verdicts(connection, Some(asked.id))?;
        let found = self.like(connection, &asked.description, Some(asked.id), limit + verdicts.len())?;
        let mut all: Vec<(Likeness, Option<Said>)> = found.into_iter().map(|likeness| (likeness, None)).collect();
        for (one, other, said) in verdicts {
            let challenge = if one == asked.id { other } else { one };
            let score = said.verdict.score();
            match all.iter_mut().find(|(likeness, _)| likeness.challenge == challenge) {
                Some((likeness, verdict)) => {
                    likeness.score = score;
                    *verdict = Some(said);
                }
                None => all.push((Likeness { challenge, score, reasons: Vec::new() }, Some(said))),
            }
        }
        all.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
        Ok(all)
    }

    /// Groups of approved challenges that look like one process, the most cohesive first; without those that were
    /// turned down, as long as nothing new speaks for them.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn suggest(&self, connection: &mut AnyConnection) -> Result<Vec<Group<Id<Challenge>>>, DbError> {
        self.catch_up(connection)?;
        let approved = challenge::store::ids_with(connection, Status::Approved)?;
        let verdicts = store::verdicts(connection, None)?;
        let said: Vec<_> = verdicts.iter().map(|(one, other, said)| (*one, *other, said.verdict.score())).collect();
        let mut groups = self.look(|shelf| {
            let index = shelf.index.as_ref();
            index.map(|index| index.groups(&approved, &said, &Grouping::LASTING)).unwrap_or_default()
        });
        groups.retain(|group| group.members.len() > 1);
        let rejections = store::rejections(connection)?;
        groups.retain(|group| !rejections.iter().any(|no| no.stands_against(&group.members, &verdicts)));
        groups.sort_by(|a, b| b.cohesion.total_cmp(&a.cohesion).then_with(|| a.members.cmp(&b.members)));
        Ok(groups)
    }

    /// What these challenges share, in words.
    #[must_use]
    pub fn shared(&self, challenges: &[Id<Challenge>], language: crate::kernel::Language) -> Vec<String> {
        let language = match language {
            crate::kernel::Language::Da => TextLanguage::Danish,
            crate::kernel::Language::En => TextLanguage::English,
        };
        self.look(|shelf| shelf.index.as_ref().map(|index| index.shared(challenges, language, 8)).unwrap_or_default())
    }

    fn look<T>(&self, at: impl FnOnce(&Shelf) -> T) -> T {
        at(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, to: impl FnOnce(&mut Shelf) -> T) -> T {
        to(&mut self.shelf.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn need(told: &Description) -> Need {
    Need {
        title: told.title.clone(),
        body: format!("{}\n{}", told.problem, told.desired_effect),
        affected_users: told.affected_users.clone(),
        theme: told.theme.clone(),
        cpv: told.cpv.clone(),
        language: TextLanguage::from_tag(&told.language),
    }
}
