//! How fast the index is at many challenges, which are made by recombining the sentences of a labelled set.
//!
//! The texts are nonsense, but their words are as frequent as in real ones and their length is the same.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::QueryResult;

use super::labelled::Labelled;
use super::mix::Mix;
use super::postgres::{Postgres, Way};
use crate::matching::index::{Index, Settings};
use crate::matching::lexicon::Lexicon;
use crate::matching::need::Need;
use crate::matching::number::float;
use crate::matching::text::language::Language;
use crate::matching::text::sentences;

/// What was measured at one number of challenges; written as a row of a table.
#[derive(Debug)]
pub struct Speed {
    pub challenges: usize,
    /// How long the index took, on one core.
    pub built_in: Duration,
    /// What the process holds in memory after, in MiB, where the system tells.
    pub memory: Option<f32>,
    pub median: Duration,
    pub p99: Duration,
    /// A challenge is replaced, and found under its new text by the next question.
    pub changed_in: Duration,
    /// Whether it was.
    pub change_seen: bool,
    /// The median of PostgreSQL's full-text ranking of the same questions, where it was asked.
    pub postgres: Option<Duration>,
}

/// The head of the table.
pub const HEAD: &str = "\
| challenges | index, one core | memory | a question, median | p99 | a change | seen by the next question | \
PostgreSQL full text, median | times as long |
|---|---|---|---|---|---|---|---|---|";

impl Display for Speed {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Speed { challenges, built_in, memory, median, p99, changed_in, change_seen, postgres } = self;
        let memory = memory.map_or("?".to_owned(), |mib| format!("{mib:.0} MiB"));
        let seen = if *change_seen { "yes" } else { "no" };
        write!(
            out,
            "| {challenges} | {built_in:.1?} | {memory} | {median:.2?} | {p99:.2?} | {changed_in:.2?} | {seen} | "
        )?;
        match postgres {
            Some(peer) => write!(out, "{peer:.1?} | {:.0} |", peer.as_secs_f64() / median.as_secs_f64()),
            None => write!(out, "| |"),
        }
    }
}

/// Questions that PostgreSQL is asked: it takes long, and its median is steady.
const MOST_ASKED_OF_POSTGRES: usize = 25;

/// Makes that many challenges and asks for the likes of every so many of them, `questions` in all.
///
/// # Errors
/// PostgreSQL's, where it is given.
pub fn measure(
    set: &Labelled,
    lexicon: &Arc<Lexicon>,
    challenges: usize,
    questions: usize,
    peer: Option<&mut Postgres>,
) -> QueryResult<Speed> {
    let pieces = Pieces::of(set);
    let start = Instant::now();
    let mut index = Index::new(Arc::clone(lexicon), Settings::default());
    for key in 0..challenges {
        index.put(key, &pieces.need(key));
    }
    index.tighten();
    let built_in = start.elapsed();
    let memory = resident();
    let step = (challenges / questions.max(1)).max(1);
    let asked: Vec<Need> =
        (0..challenges).step_by(step).take(questions).map(|key| pieces.need(key + challenges)).collect();
    let times = asked.iter().map(|need| {
        let start = Instant::now();
        let found = index.like_profile(&index.read(need), None, 10);
        (start.elapsed(), found.len())
    });
    let mut times: Vec<(Duration, usize)> = times.collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(Duration::ZERO, |(time, _)| *time);
    let changed = pieces.need(3 * challenges);
    let start = Instant::now();
    index.put(0, &changed);
    let changed_in = start.elapsed();
    let seen = index.like_profile(&index.read(&changed), None, 1);
    let change_seen = seen.first().is_some_and(|found| found.key == 0);
    let (median, p99) = (at(50), at(99));
    drop(index);
    let postgres = match peer {
        Some(peer) => Some(ask(peer, &pieces, challenges, &asked)?),
        None => None,
    };
    Ok(Speed { challenges, built_in, memory, median, p99, changed_in, change_seen, postgres })
}

/// The median of PostgreSQL's answers over the same texts.
fn ask(peer: &mut Postgres, pieces: &Pieces, challenges: usize, asked: &[Need]) -> QueryResult<Duration> {
    let text = |need: Need| [need.title, need.body, need.affected_users].join("\n");
    peer.fill(&(0..challenges).map(|key| text(pieces.need(key))).collect::<Vec<_>>())?;
    let mut times = Vec::new();
    for need in asked.iter().step_by((asked.len() / MOST_ASKED_OF_POSTGRES).max(1)) {
        let text = text(need.clone());
        let start = Instant::now();
        peer.best(Way::FullText, &text, 10)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// The sentences of a set by language, and its titles.
struct Pieces {
    of_language: Vec<(Language, Vec<String>, Vec<String>)>,
    challenges: Vec<(usize, Need)>,
}

impl Pieces {
    fn of(set: &Labelled) -> Pieces {
        let mut pieces = Pieces { of_language: Vec::new(), challenges: Vec::new() };
        for challenge in &set.challenges {
            let need = challenge.need();
            let language = need.language.unwrap_or(Language::Danish);
            let place = pieces.of_language.iter().position(|(of, ..)| *of == language);
            let place = place.unwrap_or_else(|| {
                pieces.of_language.push((language, Vec::new(), Vec::new()));
                pieces.of_language.len() - 1
            });
            if let Some((_, titles, all)) = pieces.of_language.get_mut(place) {
                titles.push(need.title.clone());
                all.extend(sentences(&need.body).map(|sentence| sentence.trim().to_owned()));
            }
            pieces.challenges.push((place, need));
        }
        pieces
    }

    /// The need of a number: a title, six to nine sentences, users and codes, each from another challenge.
    fn need(&self, number: usize) -> Need {
        let mut mix = Mix::of(number);
        let Some((place, base)) = mix.pick(&self.challenges) else { return Need::default() };
        let Some((language, titles, all)) = self.of_language.get(*place) else {
            return Need::default();
        };
        let count = 6 + mix.below(4);
        let body: Vec<&str> = (0..count).filter_map(|_| mix.pick(all)).map(String::as_str).collect();
        Need {
            title: mix.pick(titles).cloned().unwrap_or_default(),
            body: body.join(". "),
            affected_users: base.affected_users.clone(),
            theme: String::new(),
            cpv: base.cpv.clone(),
            language: Some(*language),
        }
    }
}

fn resident() -> Option<f32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(float(kib) / 1024.0)
}
