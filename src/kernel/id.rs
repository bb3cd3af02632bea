//! Ids that cannot be mixed up: `Id<Challenge>` is not `Id<Process>`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use uuid::{ContextV7, Timestamp, Uuid};

use super::Instant;

/// Things that are named by slices below the one that tells what they are.
pub mod of {
    /// See `organisation`.
    pub enum Organisation {}
    /// See `access`.
    pub enum User {}
}

/// The name of an organisation.
pub type OrganisationId = Id<of::Organisation>;
/// The name of a user.
pub type UserId = Id<of::User>;

/// A UUIDv7 (RFC 9562) that names one `T`; sorts by when it was made.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// A new id, made at `now`.
    #[must_use]
    pub fn made_at(now: Instant) -> Self {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let stamp = Timestamp::from_unix(ContextV7::new(), seconds, now.timestamp_subsec_nanos());
        Self(Uuid::new_v7(stamp), PhantomData)
    }

    /// The same id as a name for another type, where two slices know one row by two names.
    #[must_use]
    pub fn cast<U>(self) -> Id<U> {
        Id(self.0, PhantomData)
    }

    /// The 16 bytes, for seals and hashes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id that these 16 bytes spell.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes), PhantomData)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = uuid::Error;
    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Ok(Self(Uuid::try_parse(written)?, PhantomData))
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Cow::<'de, str>::deserialize(deserializer)?;
        written.parse().map_err(|_| serde::de::Error::custom("expected a UUID"))
    }
}

impl<T> utoipa::PartialSchema for Id<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .examples(["0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"])
            .into()
    }
}

impl<T> utoipa::ToSchema for Id<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_when_they_were_made() {
        let early = Id::<u8>::made_at("2026-01-01T00:00:00Z".parse().unwrap());
        let late = Id::<u8>::made_at("2026-01-01T00:00:00.002Z".parse().unwrap());
        assert!(early < late);
        assert_eq!(early.to_string().parse::<Id<u8>>().unwrap(), early);
    }

    proptest::proptest! {
        #[test]
        fn an_id_is_read_again_as_it_is_written_and_no_text_breaks_the_reader(bytes: [u8; 16], text in ".{0,50}") {
            let id = Id::<u8>::from_bytes(bytes);
            proptest::prop_assert_eq!(id.to_string().parse::<Id<u8>>().unwrap(), id);
            let _ = text.parse::<Id<u8>>();
        }
    }
}
