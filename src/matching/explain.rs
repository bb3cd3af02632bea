//! Why two needs match, in words a municipality understands.

use std::collections::BTreeSet;
use std::hash::Hash;

use super::index::{Document, Index};
use super::number::best_first;
use super::profile::Profile;
use super::space::{Kind, Space, Vector};
use super::text::language::Language;

/// What a reason speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonKind {
    /// Both speak of the same matter.
    Concept,
    /// They speak of matters that belong together.
    RelatedConcept,
    /// Both use the same words.
    Words,
    /// The same people are affected.
    Users,
    /// Their CPV codes lie close.
    Cpv,
    /// They stand under the same theme.
    Theme,
}

impl ReasonKind {
    /// The name clients meet.
    pub fn name(self) -> &'static str {
        match self {
            ReasonKind::Concept => "concept",
            ReasonKind::RelatedConcept => "related_concept",
            ReasonKind::Words => "words",
            ReasonKind::Users => "users",
            ReasonKind::Cpv => "cpv",
            ReasonKind::Theme => "theme",
        }
    }
}

/// One reason, in Danish and English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub kind: ReasonKind,
    pub danish: String,
    pub english: String,
}

const MOST_CONCEPTS: usize = 3;
const MOST_WORDS: usize = 5;
/// Concepts nearer than this belong together in a reason.
const BELONG_TOGETHER: f32 = 0.4;
/// A shared concept is named from this share of the strongest shared one.
const LEAST_STRENGTH: f32 = 0.3;
/// Words more common than this (as a rarity) explain nothing.
const LEAST_RARITY: f32 = 2.0;

impl<K: Clone + Ord + Hash> Index<K> {
    /// Why two needs of the index match; empty where one is unknown or nothing is shared.
    pub fn why(&self, one: &K, other: &K) -> Vec<Reason> {
        match (self.document(one), self.document(other)) {
            (Some(one), Some(other)) => self.reasons(one, other),
            _ => Vec::new(),
        }
    }

    /// Why a need that is not in the index matches one that is.
    pub fn why_profile(&self, profile: &Profile, other: &K) -> Vec<Reason> {
        self.why_each(profile, std::iter::once(other)).pop().unwrap_or_default()
    }

    /// As [`Index::why_profile`] for several, in their order.
    pub fn why_each<'a>(&self, profile: &Profile, others: impl Iterator<Item = &'a K>) -> Vec<Vec<Reason>>
    where
        K: 'a,
    {
        let mut asked = None;
        let why = |other: &K| {
            let found = self.document(other)?;
            let asked = asked.get_or_insert_with(|| self.as_document(other.clone(), profile));
            Some(self.reasons(asked, found))
        };
        others.map(why).map(Option::unwrap_or_default).collect()
    }

    /// What the needs of a group share, strongest first: concept names in a language.
    pub fn shared(&self, keys: &[K], language: Language, limit: usize) -> Vec<String> {
        let mut sums = std::collections::BTreeMap::new();
        for document in keys.iter().filter_map(|key| self.document(key)) {
            for (concept, weight) in unit(&document.concepts) {
                if document.named.contains(&concept) {
                    let sum = sums.entry(concept).or_insert((0, 0.0));
                    sum.0 += 1;
                    sum.1 += weight;
                }
            }
        }
        let mut all: Vec<((usize, f32), String)> = sums
            .into_iter()
            .filter(|(_, (count, _))| keys.len() < 2 || *count > 1)
            .filter_map(|(number, sum)| {
                let concept = self.lexicon().concept(number).filter(|concept| !concept.is_field)?;
                Some((sum, concept.name(language)))
            })
            .collect();
        all.sort_by(|a, b| best_first((a.0.1, &a.1), (b.0.1, &b.1)));
        let mut seen = BTreeSet::new();
        all.retain(|(_, name)| seen.insert(name.clone()));
        all.into_iter().take(limit).map(|(_, name)| name).collect()
    }

    fn reasons(&self, one: &Document<K>, other: &Document<K>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let same = self.same_concepts(one, other);
        if same.is_empty() {
            reasons.extend(self.related(one, other));
        } else {
            let names = |language| joined(&self.names(&same, language), language);
            reasons.push(Reason {
                kind: ReasonKind::Concept,
                danish: format!("begge handler om {}", names(Language::Danish)),
                english: format!("both are about {}", names(Language::English)),
            });
        }
        let words = self.shared_words(one, other, &[Kind::Word, Kind::Part]);
        if !words.is_empty() {
            let words = words.join(", ");
            reasons.push(Reason {
                kind: ReasonKind::Words,
                danish: format!("fælles ord: {words}"),
                english: format!("words in common: {words}"),
            });
        }
        let users = self.shared_words(one, other, &[Kind::User]).join(", ");
        if !users.is_empty() {
            reasons.push(Reason {
                kind: ReasonKind::Users,
                danish: format!("samme berørte: {users}"),
                english: format!("the same people affected: {users}"),
            });
        }
        reasons.extend(codes(one, other));
        if one.theme.is_some() && one.theme == other.theme {
            reasons.push(Reason {
                kind: ReasonKind::Theme,
                danish: "samme tema".to_owned(),
                english: "the same theme".to_owned(),
            });
        }
        reasons
    }

    /// Concepts that both speak of, most telling first; those that both name outright come before others.
    fn same_concepts(&self, one: &Document<K>, other: &Document<K>) -> Vec<u32> {
        let others = unit(&other.concepts);
        let mut same: Vec<(f32, u32)> = unit(&one.concepts)
            .into_iter()
            .filter_map(|(concept, weight)| {
                let place = others.binary_search_by_key(&concept, |(number, _)| *number).ok()?;
                let (_, other_weight) = others.get(place)?;
                let named = usize::from(one.named.contains(&concept)) + usize::from(other.named.contains(&concept));
                let trust = if named == 2 {
                    2.0
                } else if named == 1 {
                    1.0
                } else {
                    0.3
                };
                Some((weight * other_weight * trust, concept))
            })
            .filter(|(_, concept)| self.lexicon().concept(*concept).is_some_and(|concept| !concept.is_field))
            .collect();
        same.sort_by(|a, b| best_first((a.0, &a.1), (b.0, &b.1)));
        let least = (LEAST_STRENGTH * same.first().map_or(0.0, |(weight, _)| *weight)).max(0.05);
        same.retain(|(weight, _)| *weight >= least);
        same.into_iter().map(|(_, concept)| concept).collect()
    }

    /// The pair of concepts, one of each need, that belong together most.
    fn related(&self, one: &Document<K>, other: &Document<K>) -> Option<Reason> {
        let others = unit(&other.concepts);
        let mut best: Option<(f32, u32, u32)> = None;
        for (concept, weight) in unit(&one.concepts) {
            for (kin, nearness) in self.lexicon().kin(concept) {
                if *nearness < BELONG_TOGETHER || *kin == concept {
                    continue;
                }
                if let Ok(place) = others.binary_search_by_key(kin, |(number, _)| *number)
                    && let Some((_, other_weight)) = others.get(place)
                {
                    let strength = weight * other_weight * nearness;
                    if strength > best.map_or(0.05, |(known, ..)| known) {
                        best = Some((strength, concept, *kin));
                    }
                }
            }
        }
        let (_, one, other) = best?;
        let name = |number, language| self.names(&[number], language).join("");
        Some(Reason {
            kind: ReasonKind::RelatedConcept,
            danish: format!(
                "de handler om ting, der hører sammen: {} og {}",
                name(one, Language::Danish),
                name(other, Language::Danish)
            ),
            english: format!(
                "they are about matters that belong together: {} and {}",
                name(one, Language::English),
                name(other, Language::English)
            ),
        })
    }

    fn names(&self, concepts: &[u32], language: Language) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for concept in concepts.iter().filter_map(|number| self.lexicon().concept(*number)) {
            let name = concept.name(language);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.truncate(MOST_CONCEPTS);
        names
    }

    /// The words both have, the rarest first, as they are written.
    fn shared_words(&self, one: &Document<K>, other: &Document<K>, kinds: &[Kind]) -> Vec<String> {
        let scale = Space::scale(self.len());
        let mut shared: Vec<(f32, &str)> = Vec::new();
        for (kind, (a, b)) in Kind::ALL.into_iter().zip(one.traits.iter().zip(&other.traits)) {
            if !kinds.contains(&kind) {
                continue;
            }
            for (number, weight) in a {
                if let Ok(place) = b.binary_search_by_key(number, |(number, _)| *number)
                    && let Some((_, other_weight)) = b.get(place)
                    && let Some(written) = self.space().written(*number)
                {
                    let rarity = self.space().rarity(*number, scale);
                    if rarity >= LEAST_RARITY && !shared.iter().any(|(_, known)| *known == written) {
                        shared.push((rarity * weight.min(*other_weight), written));
                    }
                }
            }
        }
        shared.sort_by(|a, b| best_first((a.0, &a.1), (b.0, &b.1)));
        shared.into_iter().take(MOST_WORDS).map(|(_, written)| written.to_owned()).collect()
    }
}

/// Concepts with weights from 0 to 1, the strongest 1.
fn unit(concepts: &Vector) -> Vec<(u32, f32)> {
    let most = concepts.iter().map(|(_, weight)| *weight).fold(f32::EPSILON, f32::max);
    concepts.iter().map(|(number, weight)| (*number, weight / most)).collect()
}

fn joined(names: &[String], language: Language) -> String {
    let and = if language == Language::English { "and" } else { "og" };
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

fn codes<K>(one: &Document<K>, other: &Document<K>) -> Option<Reason> {
    const CLOSE: f32 = 0.5;
    let pairs = one.cpv.iter().flat_map(|a| other.cpv.iter().map(move |b| (a.nearness(*b), a, b)));
    let (nearness, a, b) = pairs.max_by(|a, b| a.0.total_cmp(&b.0).then((b.1, b.2).cmp(&(a.1, a.2))))?;
    if nearness < CLOSE {
        return None;
    }
    let (danish, english) = if a == b {
        (format!("samme CPV-kode: {a}"), format!("the same CPV code: {a}"))
    } else {
        (format!("CPV-koder, der ligger tæt: {a} og {b}"), format!("CPV codes that lie close: {a} and {b}"))
    };
    Some(Reason { kind: ReasonKind::Cpv, danish, english })
}
