//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, good for 15 minutes.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Person, Role};
use crate::kernel::{Instant, Seal};

/// How long an access token is good for.
pub const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    pub name: String,
    pub role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
}

impl Claims {
    /// The person that the token speaks of; `None` when it speaks of nobody possible.
    #[must_use]
    pub fn person(self) -> Option<Person> {
        Some(Person {
            user_id: self.sub.parse().ok()?,
            name: self.name,
            role: Role::from_word(&self.role)?,
            organisation_id: self.org.map(|id| id.parse()).transpose().ok()?,
            scopes: None,
        })
    }
}

fn key(seal: &Seal) -> [u8; 32] {
    seal.mac("access token", &[])
}

/// Writes a token for somebody.
///
/// # Errors
/// When the claims cannot be written down.
pub fn issue(seal: &Seal, person: &Person, now: Instant) -> JwtResult<String> {
    let claims = Claims {
        sub: person.user_id.to_string(),
        name: person.name.clone(),
        role: person.role.word().to_owned(),
        org: person.organisation_id.map(|id| id.to_string()),
        iat: now.timestamp(),
        exp: (now + ACCESS_LIFETIME).timestamp(),
    };
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&key(seal)))
}

/// Reads a token; `None` when it is forged, mutilated or expired at `now`.
pub(super) fn read(seal: &Seal, token: &str, now: Instant) -> Option<Person> {
    let mut rules = Validation::new(Algorithm::HS256);
    // Expiry is measured on our own clock, which tests can move.
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    let claims = decode::<Claims>(token, &DecodingKey::from_secret(&key(seal)), &rules).ok()?.claims;
    if now.timestamp() >= claims.exp { None } else { claims.person() }
}

/// Makes HMAC-SHA256 the only thing that tokens are signed with. The library's own providers bring RSA and
/// elliptic curves along, which we neither use nor want an attacker to choose.
pub fn use_hmac_sha256() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(keyed(key.as_bytes())?)),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(keyed(key.try_get_as_bytes()?)?)),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    // A second call finds the first one's provider in place.
    PROVIDER.install_default().ok();
}

struct HmacSha256(Hmac<Sha256>);

fn keyed(secret: &[u8]) -> JwtResult<HmacSha256> {
    Hmac::new_from_slice(secret).map(HmacSha256).map_err(|_| ErrorKind::InvalidKeyFormat.into())
}

impl Signer<Vec<u8>> for HmacSha256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for HmacSha256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::UserId;

    #[test]
    fn a_token_speaks_for_fifteen_minutes_and_only_under_our_seal() {
        use_hmac_sha256();
        let seal = Seal::new(b"a secret of the service, long enough");
        let person = Person {
            user_id: UserId::from_bytes([7; 16]),
            name: "Søren Øst".into(),
            role: Role::Member,
            organisation_id: Some(crate::kernel::OrganisationId::from_bytes([8; 16])),
            scopes: None,
        };
        let now: Instant = "2026-11-22T08:00:00Z".parse().unwrap();
        let token = issue(&seal, &person, now).unwrap();
        assert_eq!(read(&seal, &token, now + TimeDelta::minutes(14)), Some(person));
        assert_eq!(read(&seal, &token, now + TimeDelta::minutes(15)), None);
        assert_eq!(read(&Seal::new(b"another secret of the service, as long"), &token, now), None);
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(read(&seal, &unsigned, now), None);
    }
}
