//! Letters are signed (DKIM, RFC 6376 and RFC 8463): what comes over the wire is checked as a receiving server does, with
//! nothing but the public key.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use skala::mail::{Postman, Signer};

use super::support::{Manner, Sink, TestApp, given};

/// A key made for this test alone.
const RSA: &str = include_str!("signed_rsa.pem");

fn unpacked(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines).unwrap()
}

fn packed(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

/// One header or line with its spaces drawn together.
fn squeezed(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            ' ' | '\t' if out.ends_with(' ') => {}
            ' ' | '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// The signed headers, each once, and whether the signature over headers and body is good.
fn check(letter: &str, which: usize, good: impl Fn(&[u8], &[u8]) -> bool) -> Result<Vec<String>, String> {
    let (head, body) = letter.split_once("\n\n").unwrap();
    let unfolded = head.replace("\n\t", "\t").replace("\n ", " ");
    let fields: Vec<(&str, &str)> = unfolded.lines().map(|line| line.split_once(':').unwrap()).collect();
    let signatures: Vec<&str> =
        fields.iter().filter(|(name, _)| *name == "DKIM-Signature").map(|(_, value)| *value).collect();
    let signature = signatures[which];
    let tags: BTreeMap<&str, String> = signature
        .split(';')
        .map(|tag| tag.trim().split_once('=').unwrap())
        .map(|(name, value)| (name, value.chars().filter(|c| !c.is_whitespace()).collect()))
        .collect();

    let mut lines: Vec<String> = body.lines().map(|line| squeezed(line).trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let body: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    if STANDARD.encode(Sha256::digest(body)) != tags["bh"] {
        return Err("the body is not the one that was signed".to_owned());
    }
    let names: Vec<String> = tags["h"].split(':').map(str::to_owned).collect();
    let mut signed = String::new();
    for (place, name) in names.iter().enumerate() {
        // A name that stands again signs the next field of it from below, and nothing when there is none.
        let again = names[..place].iter().filter(|other| *other == name).count();
        let found = fields.iter().rev().filter(|(other, _)| other.eq_ignore_ascii_case(name)).nth(again);
        if let Some((_, value)) = found {
            signed.push_str(&format!("{}:{}\r\n", name.to_lowercase(), squeezed(value).trim()));
        }
    }
    let without = &signature[..signature.rfind("b=").unwrap() + 2];
    signed.push_str(&format!("dkim-signature:{}", squeezed(without).trim()));
    let seal = STANDARD.decode(&tags["b"]).unwrap();
    let good = if tags["a"] == "ed25519-sha256" {
        good(&Sha256::digest(signed.as_bytes()), &seal)
    } else {
        good(signed.as_bytes(), &seal)
    };
    if good { Ok(names) } else { Err("the headers are not those that were signed".to_owned()) }
}

#[test]
fn a_letter_carries_signatures_that_anybody_can_check() {
    let edwards = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let edwards_public = Ed25519KeyPair::from_pkcs8(edwards.as_ref()).unwrap().public_key().as_ref().to_vec();
    let rsa_public = RsaKeyPair::from_pkcs8(&unpacked(RSA)).unwrap().public_key().as_ref().to_vec();
    let by_rsa = |words: &[u8], seal: &[u8]| {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &rsa_public).verify(words, seal).is_ok()
    };
    let by_edwards =
        |words: &[u8], seal: &[u8]| UnparsedPublicKey::new(&ED25519, &edwards_public).verify(words, seal).is_ok();

    let app = TestApp::start();
    let sink = Sink::with(&[Manner::Takes]);
    given::subscriber(&app, "ane@firma.example", "immediate", json!({}));
    given::published(&app, "Natligt tilsyn på Ærø");
    let signers = vec![
        Signer::from_pem(RSA, "rsa2026", "skala.example").unwrap(),
        Signer::from_pem(&packed(edwards.as_ref()), "ed2026", "skala.example").unwrap(),
    ];
    let postman = Postman::smtp(&sink.url, "Skala <skala@skala.example>".parse().unwrap(), "skala.example").unwrap();
    app.send_by(&postman.signing(signers));
    let letter = sink.letters().remove(0).replace("\n..", "\n.");

    let signed = check(&letter, 1, by_rsa).unwrap();
    assert_eq!(check(&letter, 0, by_edwards).unwrap(), signed);
    // RFC 8058 § 4: one-click unsubscribing is offered only when both headers are signed.
    for name in ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"]
    {
        assert!(signed.iter().any(|header| header == name), "{name} is not signed: {signed:?}");
    }
    for (from, to) in [
        ("\nSubject:", "\nSubject: Ny"),
        ("\nList-Unsubscribe: <https://skala", "\nList-Unsubscribe: <https://other"),
        ("\n\n", "\nFrom: other@x.example\n\n"),
        ("\nTo: ane@firma", "\nTo: bo@firma"),
    ] {
        let altered = letter.replacen(from, to, 1);
        assert_ne!(altered, letter);
        check(&altered, 1, by_rsa).unwrap_err();
        check(&altered, 0, by_edwards).unwrap_err();
    }
    let altered = letter.replacen("dialog", "monolog", 9);
    check(&altered, 1, by_rsa).unwrap_err();
}
