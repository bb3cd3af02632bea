//! The signature by which a receiving server knows that a letter is the domain's own (DKIM, RFC 6376), with an RSA or an
//! Ed25519 key (RFC 8463).
//!
//! Signed are the words and every header that says something of them, the two that offer one-click unsubscribing among
//! them: without that a mail program does not show the offer (RFC 8058 § 4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::kernel::Instant;

/// What is signed, where it is there. `From` stands once more than it occurs, so that nobody can add another.
const HEADERS: [&str; 12] = [
    "From",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// How many characters of a signature stand on a line.
const LINE: usize = 72;

/// Signs letters with the key that DNS shows at `SELECTOR._domainkey.DOMAIN`.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    #[error("the key is no private key in PEM: {0}")]
    NotPem(String),
    #[error("the key is neither RSA of at least 2,048 bits nor Ed25519: {0}")]
    Unfit(String),
    #[error("a selector or domain has only letters, digits, dots and hyphens, and {0:?} has others")]
    Name(String),
    #[error("the letter could not be signed")]
    Failed,
}

impl Signer {
    /// A signer with the private key of this PEM text (PKCS#8, or PKCS#1 for RSA), as `openssl genpkey` writes it.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn from_pem(pem: &str, selector: &str, domain: &str) -> Result<Self, SignerError> {
        for name in [selector, domain] {
            let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
            if !fits {
                return Err(SignerError::Name(name.to_owned()));
            }
        }
        let der =
            PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| SignerError::NotPem(error.to_string()))?;
        let rsa = |pair| Key::Rsa(Box::new(pair));
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let edwards = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Key::Ed25519);
                edwards.or_else(|_| RsaKeyPair::from_pkcs8(der).map(rsa))
            }
            _ => return Err(SignerError::Unfit("it is of another kind".to_owned())),
        };
        let key = key.map_err(|error| SignerError::Unfit(error.to_string()))?;
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    /// The message with its signature on top.
    ///
    /// # Errors
    /// [`SignerError::Failed`] when the operating system gives no randomness.
    pub fn sign(&self, message: &str, at: Instant) -> Result<String, SignerError> {
        let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
        let fields = fields(head);
        let mut names: Vec<&str> = Vec::new();
        let mut signed = String::new();
        for name in HEADERS {
            let again = names.contains(&name);
            match fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                None => continue,
                Some(_) if again => {}
                Some((name, value)) => signed.push_str(&format!("{}\r\n", relaxed(name, value))),
            }
            names.push(name);
        }
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let unsigned = format!(
            " v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={};\r\n\tt={}; h={};\r\n\tbh={};\r\n\tb=",
            self.domain,
            self.selector,
            at.timestamp(),
            names.chunks(6).map(|names| names.join(":")).collect::<Vec<_>>().join(":\r\n\t "),
            STANDARD.encode(Sha256::digest(relaxed_body(body)))
        );
        signed.push_str(&relaxed("DKIM-Signature", &unsigned));
        let signature = STANDARD.encode(self.seal(signed.as_bytes())?);
        let mut out = String::with_capacity(message.len() + 1024);
        out.push_str("DKIM-Signature:");
        out.push_str(&unsigned);
        for (place, character) in signature.chars().enumerate() {
            if place > 0 && place % LINE == 0 {
                out.push_str("\r\n\t");
            }
            out.push(character);
        }
        out.push_str("\r\n");
        out.push_str(message);
        Ok(out)
    }

    fn seal(&self, words: &[u8]) -> Result<Vec<u8>, SignerError> {
        match &self.key {
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(words)).as_ref().to_vec()),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), words, &mut signature);
                signed.map(|()| signature).map_err(|_| SignerError::Failed)
            }
        }
    }
}

/// The header fields, in order: name, and value with its folding.
fn fields(head: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut() {
            Some((_, value)) if line.starts_with([' ', '\t']) => value.push_str(line),
            _ => fields.extend(line.split_once(':').map(|(name, value)| (name, value.to_owned()))),
        }
    }
    fields
}

/// A header as it is signed (RFC 6376 § 3.4.2): on one line, with single spaces, its name in small letters.
fn relaxed(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// The body as it is signed (RFC 6376 § 3.4.4): single spaces, none at the ends of lines, no empty lines at the end.
fn relaxed_body(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut empty = 0;
    for line in body.split("\r\n") {
        let mut words = String::with_capacity(line.len());
        let mut space = false;
        for character in line.chars() {
            if character == ' ' || character == '\t' {
                space = true;
                continue;
            }
            if std::mem::take(&mut space) {
                words.push(' ');
            }
            words.push(character);
        }
        if words.is_empty() {
            empty += 1;
            continue;
        }
        (0..std::mem::take(&mut empty)).for_each(|_| out.push_str("\r\n"));
        out.push_str(&words);
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_signed_as_the_standard_shows() {
        // RFC 6376 § 3.4.5.
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed("SUBJect", " AbC\r\n\t d "), "subject:AbC d");
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body("a\r\n\r\nb"), "a\r\n\r\nb\r\n");
    }

    #[test]
    fn the_signature_is_that_of_the_standards_example() {
        // RFC 8463 appendix A: the key, the message, and the hashes that must come out.
        let seed = STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
        let der = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], seed.as_slice()].concat();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
        let signer = Signer::from_pem(&pem, "brisbane", "football.example.com").unwrap();
        let Key::Ed25519(key) = &signer.key else { panic!("an Ed25519 key") };
        let public = ring::signature::KeyPair::public_key(key).as_ref();
        assert_eq!(STANDARD.encode(public), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
        assert_eq!(STANDARD.encode(Sha256::digest(relaxed_body(body))), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    }

    #[test]
    fn what_is_no_key_or_no_name_is_said_so() {
        assert!(matches!(Signer::from_pem("no key", "a", "b.dk"), Err(SignerError::NotPem(_))));
        assert!(matches!(Signer::from_pem("", "a b", "b.dk"), Err(SignerError::Name(_))));
        let none = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(Signer::from_pem(none, "a", "b.dk"), Err(SignerError::Unfit(_))));
    }

    proptest::proptest! {
        #[test]
        fn what_was_relaxed_stays_as_it_is_and_no_key_or_message_breaks_the_signer(body in "[a \t\r\n]{0,60}", pem in ".{0,60}", message in ".{0,80}") {
            let once = relaxed_body(&body);
            proptest::prop_assert_eq!(relaxed_body(&once), once);
            let armed = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
            proptest::prop_assert!(Signer::from_pem(&pem, "a", "b.dk").is_err() && Signer::from_pem(&armed, "a", "b.dk").is_err());
            let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
            let signer = Signer { domain: "b.dk".into(), selector: "a".into(), key: Key::Ed25519(key) };
            for message in [message.clone(), format!("From: {message}\r\n\r\n{body}")] {
                let signed = signer.sign(&message, "2026-11-22T08:00:00Z".parse().unwrap()).unwrap();
                proptest::prop_assert!(signed.ends_with(&message) && signed.starts_with("DKIM-Signature:"));
            }
        }
    }
}
