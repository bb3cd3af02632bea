//! A labelled set: challenges by topic, neighbouring topics, suppliers and look-alikes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::matching::need::Need;
use crate::matching::text::language::Language;

#[derive(Debug, Clone, Deserialize)]
pub struct Challenge {
    pub id: String,
    #[serde(default)]
    pub lang: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub problem: String,
    #[serde(default)]
    pub desired_effect: String,
    #[serde(default)]
    pub affected_users: String,
    #[serde(default)]
    pub theme: String,
    #[serde(default)]
    pub cpv: Vec<String>,
    /// None for a challenge that nobody else has.
    #[serde(default)]
    pub topic: Option<String>,
}

impl Challenge {
    pub fn need(&self) -> Need {
        Need {
            title: self.title.clone(),
            body: format!("{}\n{}", self.problem, self.desired_effect),
            affected_users: self.affected_users.clone(),
            theme: self.theme.clone(),
            cpv: self.cpv.clone(),
            language: Language::from_tag(&self.lang),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Supplier {
    pub id: String,
    #[serde(default)]
    pub lang: String,
    pub description: String,
    #[serde(default)]
    pub cpv: Vec<String>,
    pub relevant_topics: Vec<String>,
}

impl Supplier {
    pub fn need(&self) -> Need {
        Need { cpv: self.cpv.clone(), ..Need::from_text(&self.description, Language::from_tag(&self.lang)) }
    }
}

#[derive(Debug, Deserialize)]
struct Topic {
    #[serde(default)]
    neighbours: Vec<String>,
}

pub struct Labelled {
    pub challenges: Vec<Challenge>,
    pub suppliers: Vec<Supplier>,
    pub neighbours: BTreeSet<(String, String)>,
    /// Each look-alike with the topic it must not be taken for.
    pub decoys: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
#[error("{file}: {cause}")]
pub struct Unreadable {
    file: String,
    cause: String,
}

impl Labelled {
    /// Reads `challenges.jsonl`, `topics.json`, `suppliers.jsonl` and `hard_negatives.json`; only the first must exist.
    pub fn read(directory: &Path) -> Result<Labelled, Unreadable> {
        let challenges: Vec<Challenge> = lines(directory, "challenges.jsonl")?;
        let suppliers = match directory.join("suppliers.jsonl").exists() {
            true => lines(directory, "suppliers.jsonl")?,
            false => Vec::new(),
        };
        let topics: BTreeMap<String, Topic> = object(directory, "topics.json")?;
        let mut neighbours = BTreeSet::new();
        for (topic, of) in &topics {
            for other in &of.neighbours {
                neighbours.insert((topic.clone(), other.clone()));
                neighbours.insert((other.clone(), topic.clone()));
            }
        }
        let decoys = object(directory, "hard_negatives.json")?;
        Ok(Labelled { challenges, suppliers, neighbours, decoys })
    }

    /// 2 for the same topic, 1 for a neighbouring one, else 0.
    pub fn grade(&self, a: &Challenge, b: &Challenge) -> u8 {
        match (&a.topic, &b.topic) {
            (Some(a), Some(b)) if a == b => 2,
            (Some(a), Some(b)) if self.neighbours.contains(&(a.clone(), b.clone())) => 1,
            _ => 0,
        }
    }
}

fn text(directory: &Path, file: &str) -> Result<String, Unreadable> {
    std::fs::read_to_string(directory.join(file))
        .map_err(|cause| Unreadable { file: file.to_owned(), cause: cause.to_string() })
}

fn lines<T: for<'a> Deserialize<'a>>(directory: &Path, file: &str) -> Result<Vec<T>, Unreadable> {
    let text = text(directory, file)?;
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(at, line)| {
        serde_json::from_str(line)
            .map_err(|cause| Unreadable { file: format!("{file}, line {}", at + 1), cause: cause.to_string() })
    })
    .collect()
}

fn object<T: for<'a> Deserialize<'a> + Default>(directory: &Path, file: &str) -> Result<T, Unreadable> {
    if !directory.join(file).exists() {
        return Ok(T::default());
    }
    serde_json::from_str(&text(directory, file)?)
        .map_err(|cause| Unreadable { file: file.to_owned(), cause: cause.to_string() })
}
