//! The space of traits: every word, part and concept that stands in any document, and where it stands.

use super::atom::Table;
use super::number::{at, float, id};

/// What a trait is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A whole word.
    Word,
    /// A simple word or a part of a compound.
    Part,
    /// A concept, or the neighbour of one.
    Concept,
    /// A field of work.
    Field,
    /// A word for those affected.
    User,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Word, Kind::Part, Kind::Concept, Kind::Field, Kind::User];

    fn salt(self) -> u64 {
        match self {
            Kind::Word => 0,
            Kind::Part => 0x5bd1_e995_7b1d_c3a1,
            Kind::Concept => 0x9ae1_6a3b_2f90_404f,
            Kind::Field => 0xc949_d7c7_509e_6557,
            Kind::User => 0xff51_afd7_ed55_8ccd,
        }
    }

    /// Words and the parts of words find candidates and choose among them; in full they are compared one by one (see
    /// [`super::alignment`]), and would count twice.
    pub fn is_read_one_by_one(self) -> bool {
        matches!(self, Kind::Word | Kind::Part)
    }

    /// Fields are in every document, and words for users are parts as well: neither finds candidates.
    fn is_posted(self) -> bool {
        matches!(self, Kind::Word | Kind::Part | Kind::Concept)
    }
}

/// A trait's name over all kinds; the same on every node, whatever came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u64);

impl Name {
    pub fn of(kind: Kind, number: u64) -> Name {
        Name(number.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ kind.salt())
    }
}

/// Traits with weights, by rising trait.
pub type Vector = Box<[(u32, f32)]>;

/// Where a trait stands is written in lists by how much of a document it makes up, so that a search
/// may read only the lists that matter; these are the least shares of the lists.
const LEVELS: [f32; 4] = [0.0, 0.1, 0.18, 0.3];
/// The share that stands for a list.
const TYPICAL: [f32; 4] = [0.06, 0.13, 0.23, 0.4];

/// Before many documents are seen, a trait's rarity is taken as if this many had been read, in which
/// it stood as often as the lexicon lets expect.
const READ_BEFORE: f32 = 300.0;

/// Makes a field's rarity the same whatever the number of documents, as far as cosines see it.
const FIELD_COMMON: f32 = 0.0;

/// The logarithm of how many documents rarities are measured from.
#[derive(Debug, Clone, Copy)]
pub struct Scale(f32);

struct Trait {
    name: Name,
    kind: Kind,
    documents: u32,
    expected: f32,
    lists: [Vec<u32>; LEVELS.len()],
    written: Option<Box<str>>,
}

/// A list of documents in which a trait makes up about the same share.
pub struct List<'a> {
    pub name: Name,
    pub share: f32,
    pub slots: &'a [u32],
}

#[derive(Default)]
pub struct Space {
    ids: Table<u64, u32>,
    traits: Vec<Trait>,
    /// For each trait the logarithm of how often it is seen and expected, apart from the rest because
    /// every comparison asks for it.
    common: Vec<f32>,
}

impl Space {
    /// The trait of this name, made if it is new; `expected` is the share of texts it should stand in.
    pub fn enter(&mut self, kind: Kind, number: u64, expected: impl FnOnce() -> f32) -> u32 {
        let name = Name::of(kind, number);
        let next = id(self.traits.len());
        let found = *self.ids.entry(name.0).or_insert(next);
        if found == next {
            let expected = expected() * READ_BEFORE;
            let lists = Default::default();
            self.traits.push(Trait { name, kind, documents: 0, expected, lists, written: None });
            self.common.push(common(kind, 0.0, expected));
        }
        found
    }

    /// The trait of this name, if any document has had it.
    pub fn known(&self, kind: Kind, number: u64) -> Option<u32> {
        self.ids.get(&Name::of(kind, number).0).copied()
    }

    /// Keeps the shortest way a word is written, for people to read.
    pub fn write(&mut self, number: u32, written: &str) {
        if let Some(found) = self.traits.get_mut(at(number)) {
            let is_better =
                found.written.as_deref().is_none_or(|known| (written.len(), written) < (known.len(), known));
            if is_better {
                found.written = Some(written.into());
            }
        }
    }

    pub fn written(&self, number: u32) -> Option<&str> {
        self.traits.get(at(number))?.written.as_deref()
    }

    /// Writes down that these traits stand in a document.
    pub fn post(&mut self, slot: u32, vector: &Vector) {
        let norm = norm(vector);
        for (number, weight) in vector {
            if let Some(found) = self.traits.get_mut(at(*number)) {
                found.documents += 1;
                self.common.get_mut(at(*number)).into_iter().for_each(|known| *known = found.common());
                if found.kind.is_posted()
                    && let Some(list) = found.lists.get_mut(level(weight / norm))
                {
                    list.push(slot);
                }
            }
        }
    }

    /// Takes back what [`Space::post`] wrote.
    pub fn unpost(&mut self, slot: u32, vector: &Vector) {
        let norm = norm(vector);
        for (number, weight) in vector {
            if let Some(found) = self.traits.get_mut(at(*number)) {
                found.documents = found.documents.saturating_sub(1);
                self.common.get_mut(at(*number)).into_iter().for_each(|known| *known = found.common());
                if let Some(list) = found.lists.get_mut(level(weight / norm))
                    && let Some(place) = list.iter().position(|posted| *posted == slot)
                {
                    list.swap_remove(place);
                }
            }
        }
    }

    /// How many traits there are; their numbers lie below it.
    pub fn size(&self) -> usize {
        self.traits.len()
    }

    /// What rarities are measured from when there are so many documents.
    pub fn scale(documents: usize) -> Scale {
        Scale((float(documents) + READ_BEFORE).ln())
    }

    /// How much a trait tells: the logarithm of how rare it is, seen and expected together.
    pub fn rarity(&self, number: u32, scale: Scale) -> f32 {
        self.common.get(at(number)).map_or(0.0, |common| (scale.0 - common).max(0.0))
    }

    /// The rarity of a trait that no document has.
    pub fn rarity_of_new(kind: Kind, expected: f32, scale: Scale) -> f32 {
        (scale.0 - common(kind, 0.0, expected * READ_BEFORE)).max(0.0)
    }

    pub fn lists(&self, number: u32) -> impl Iterator<Item = List<'_>> {
        self.traits.get(at(number)).into_iter().flat_map(|found| {
            found.lists.iter().zip(TYPICAL).map(|(slots, share)| List { name: found.name, share, slots })
        })
    }

    /// Gives back what the lists hold in reserve; worth it after many documents came at once.
    pub fn tighten(&mut self) {
        for list in self.traits.iter_mut().flat_map(|found| &mut found.lists) {
            list.shrink_to_fit();
        }
    }
}

impl Trait {
    fn common(&self) -> f32 {
        common(self.kind, float(at(self.documents)), self.expected)
    }
}

/// A field of work is never rare: all count the same.
fn common(kind: Kind, seen: f32, expected: f32) -> f32 {
    match kind {
        Kind::Field => FIELD_COMMON,
        _ => (seen + expected + 0.5).ln(),
    }
}

fn norm(vector: &Vector) -> f32 {
    vector.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(f32::EPSILON)
}

fn level(share: f32) -> usize {
    LEVELS.iter().rposition(|least| share >= *least).unwrap_or(0)
}
