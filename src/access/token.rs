//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, good for 15 minutes.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::store::Session;
use crate::kernel::{Id, Instant, Seal, UserId};

/// How long an access token is good for.
pub const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// What a token says: only which session it is of. What its owner may, the database knows, so that a session that
/// was ended, an account that was closed and a role that changed count at once.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The user's id.
    sub: String,
    /// The session's id.
    sid: String,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970.
    exp: i64,
}

/// Whom a token is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) user_id: UserId,
    pub(super) session_id: Id<Session>,
}

fn key(seal: &Seal) -> [u8; 32] {
    seal.mac("access token", &[])
}

/// Writes a token for a session.
///
/// # Errors
/// When the claims cannot be written down.
pub fn issue(seal: &Seal, user: UserId, session: Id<Session>, now: Instant) -> JwtResult<String> {
    let claims = Claims {
        sub: user.to_string(),
        sid: session.to_string(),
        iat: now.timestamp(),
        exp: (now + ACCESS_LIFETIME).timestamp(),
    };
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&key(seal)))
}

/// Reads a token; `None` when it is forged, mutilated or expired at `now`.
pub(super) fn read(seal: &Seal, token: &str, now: Instant) -> Option<Bearer> {
    let mut rules = Validation::new(Algorithm::HS256);
    // Expiry is measured on our own clock, which tests can move.
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    let claims = decode::<Claims>(token, &DecodingKey::from_secret(&key(seal)), &rules).ok()?.claims;
    let bearer = Bearer { user_id: claims.sub.parse().ok()?, session_id: claims.sid.parse().ok()? };
    (now.timestamp() < claims.exp).then_some(bearer)
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

    #[test]
    fn a_token_speaks_for_fifteen_minutes_and_only_under_our_seal() {
        use_hmac_sha256();
        let seal = Seal::new(b"a secret of the service, long enough");
        let bearer = Bearer { user_id: UserId::from_bytes([7; 16]), session_id: Id::from_bytes([8; 16]) };
        let now: Instant = "2026-11-22T08:00:00Z".parse().unwrap();
        let token = issue(&seal, bearer.user_id, bearer.session_id, now).unwrap();
        assert_eq!(read(&seal, &token, now + TimeDelta::minutes(14)), Some(bearer));
        assert_eq!(read(&seal, &token, now + TimeDelta::minutes(15)), None);
        assert_eq!(read(&Seal::new(b"another secret of the service, as long"), &token, now), None);
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(read(&seal, &unsigned, now), None);
    }

    proptest::proptest! {
        #[test]
        fn a_token_names_whom_it_was_made_for_and_no_text_breaks_the_reader(user: [u8; 16], session: [u8; 16], text in ".{0,80}", parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,43}") {
            use_hmac_sha256();
            let seal = Seal::new(b"a secret of the service, long enough");
            let bearer = Bearer { user_id: UserId::from_bytes(user), session_id: Id::from_bytes(session) };
            let now: Instant = "2026-11-22T08:00:00Z".parse().unwrap();
            let token = issue(&seal, bearer.user_id, bearer.session_id, now).unwrap();
            proptest::prop_assert_eq!(read(&seal, &token, now), Some(bearer));
            let (head, signature) = token.rsplit_once('.').unwrap();
            let swapped = format!("{}.{signature}", parts.rsplit_once('.').unwrap().0);
            for forged in [text, parts, swapped, format!("{head}.")] {
                proptest::prop_assert_eq!(read(&seal, &forged, now), None);
            }
        }
    }
}
