//! Passwords: argon2id (RFC 9106) with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::kernel::{Flaws, fold, text};
use crate::web::Problem;

/// The shortest password that is taken (NIST SP 800-63B asks for 8, we for more).
const SHORTEST: usize = 12;
/// The longest, so that hashing stays bounded.
const LONGEST: usize = 200;

/// Hashing takes memory and time: a few at once are enough, and the rest wait in line.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What unknown addresses are checked against, so that they take as long as known ones.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    Argon2::default().hash_password(b"nobody has this password").map(|hash| hash.to_string()).unwrap_or_default()
});

/// Words that most people try first; longer passwords that are made of them alone are as bad.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "kodeord",
    "adgangskode",
    "løsenord",
    "qwerty",
    "azerty",
    "welcome",
    "velkommen",
    "letmein",
    "admin",
    "administrator",
    "danmark",
    "kommune",
    "hemmelig",
    "sommer",
    "vinter",
    "efterår",
    "forår",
    "monkey",
    "dragon",
    "football",
    "iloveyou",
    "skala",
];

/// Records what is wrong with a password that somebody wants.
pub(super) fn check(pointer: &str, password: &str, flaws: &mut Flaws) {
    let length = password.chars().count();
    if length < SHORTEST {
        flaws.add(
            pointer,
            "too_short",
            text!(
                "Mindst {SHORTEST} tegn; en kort sætning er let at huske",
                "At least {SHORTEST} characters; a short sentence is easy to remember"
            ),
        );
    } else if length > LONGEST {
        flaws.add(pointer, "too_long", text!("Højst {LONGEST} tegn", "At most {LONGEST} characters"));
    } else if is_common(password) {
        flaws.add(
            pointer,
            "too_common",
            text!("Det kodeord er let at gætte; vælg et andet", "That password is easy to guess; choose another"),
        );
    }
}

/// Few different characters, a run of neighbours, or nothing but well-known words and digits.
fn is_common(password: &str) -> bool {
    let folded = fold(password);
    let mut letters: Vec<char> = folded.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let run = folded.chars().zip(folded.chars().skip(1)).all(|(a, b)| u32::from(a).abs_diff(u32::from(b)) <= 1);
    let rest = COMMON.iter().fold(folded, |rest, word| rest.replace(word, ""));
    let rest = rest.chars().filter(|c| c.is_alphabetic()).count();
    letters.len() < 5 || run || rest < 3
}

/// The hash to keep.
///
/// # Errors
/// 500 when the operating system gives no randomness.
pub(super) async fn hash(password: String) -> Result<String, Problem> {
    beside(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        .await?
        .map_err(|error| Problem::internal(&error))
}

/// Whether the password is the one of this hash; takes as long when there is none.
///
/// # Errors
/// 500 when the check could not be run.
pub(super) async fn is_right(password: String, hash: Option<String>) -> Result<bool, Problem> {
    beside(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let right = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && right
    })
    .await
}

async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let _turn = AT_ONCE.acquire().await.map_err(|error| Problem::internal(&error))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_monotonous_passwords_are_refused() {
        let refused = |password: &str| {
            let mut flaws = Flaws::default();
            check("/password", password, &mut flaws);
            !flaws.0.is_empty()
        };
        for bad in [
            "kort",
            "aaaaaaaaaaaa",
            "123456789012",
            "abcdefghijkl",
            "Password2026!",
            "KommuneSommer26",
            "kodeord-kodeord",
        ] {
            assert!(refused(bad), "{bad}");
        }
        for good in ["en gul cykel i regnvejr", "Tre høns & 7 æg", "v9#Lq2!xTz0p"] {
            assert!(!refused(good), "{good}");
        }
    }
}
