//! Signatures of statements: Ed25519 over the bytes that the statement's SHA-256 covers.
//!
//! Written as `ed25519:KEY:SIGNATURE`, the key by [`PublicKey::id`], the signature in Base64. The key is named so that a signature by
//! another key is told from one that is wrong; it is not trusted. A signature is no part of what is hashed: whoever has none holds the
//! same statement.

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::statement::keys::{PublicKey, SigningKey};
use crate::statement::{IssuedStatement, json};

const ALGORITHM: &str = "ed25519";

/// Whether a key signed a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// The key did.
    ByKey,
    /// Nobody did.
    Not,
    /// The signature says that another key did, by its id.
    ByOther(String),
    /// The signature says that the key did, and the key did not sign this; or it is no signature.
    Wrong,
}

impl IssuedStatement {
    /// Signs it as it is.
    pub fn sign(&mut self, key: &SigningKey) {
        let signature = BASE64_STANDARD.encode(key.pair.sign(json::unsealed(self).as_bytes()));
        self.signature = Some(format!("{ALGORITHM}:{}:{signature}", key.public().id()));
    }

    /// Whether a key signed it as it is.
    pub fn signed_by(&self, key: &PublicKey) -> Signed {
        let Some(signature) = &self.signature else { return Signed::Not };
        let Some((id, bytes)) = parts(signature) else { return Signed::Wrong };
        let public = UnparsedPublicKey::new(&ED25519, key.bytes);
        match public.verify(json::unsealed(self).as_bytes(), &bytes) {
            Ok(()) => Signed::ByKey,
            Err(_) if id == key.id() => Signed::Wrong,
            Err(_) => Signed::ByOther(id.to_string()),
        }
    }
}

/// The id of the key that a signature names, and the signature in Base64.
pub(crate) fn named(signature: &str) -> Option<(&str, &str)> {
    signature.strip_prefix(ALGORITHM)?.strip_prefix(':')?.split_once(':')
}

fn parts(signature: &str) -> Option<(&str, Vec<u8>)> {
    let (id, signature) = named(signature)?;
    Some((id, BASE64_STANDARD.decode(signature).ok()?))
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::Ed25519KeyPair;

    use super::*;
    use crate::Evidence;
    use crate::statement::testing::statement;

    fn key() -> SigningKey {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let text = BASE64_STANDARD.encode(der.as_ref());
        SigningKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")).unwrap()
    }

    fn unsigned() -> IssuedStatement {
        let text = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: a}\nspec:\n  service: s\n  period: {duration: 1M, \
                    timeZone: UTC}\n  slice: 1m\n  measure: Occurrences\n  commitment: 99%\n  credits: []\n";
        statement(text, "2026-10", Evidence { other_valid: 7, ..Evidence::default() })
    }

    #[test]
    fn a_signature_is_of_one_key_and_one_statement() {
        let (own, other) = (key(), key());
        let unsigned = unsigned();
        assert_eq!(unsigned.signed_by(own.public()), Signed::Not);
        let mut signed = unsigned.clone();
        signed.sign(&own);
        assert_eq!(signed.signed_by(own.public()), Signed::ByKey);
        assert_eq!(signed.signed_by(other.public()), Signed::ByOther(own.public().id().to_string()));
        let changed = |change: &dyn Fn(&mut IssuedStatement)| {
            let mut changed = signed.clone();
            change(&mut changed);
            changed.signed_by(own.public())
        };
        assert_eq!(changed(&|s| s.evidence.other_valid += 1), Signed::Wrong);
        assert_eq!(changed(&|s| s.issued_at += 1), Signed::Wrong);
        assert_eq!(changed(&|s| s.signature = Some("ed25519:nonsense".into())), Signed::Wrong);
        // Whoever signs with another key and names this one is found.
        let named = format!("ed25519:{}:", own.public().id());
        let forged = {
            let mut forged = unsigned.clone();
            forged.sign(&other);
            forged.signature.unwrap().replace(&format!("ed25519:{}:", other.public().id()), &named)
        };
        assert_eq!(changed(&|s| s.signature = Some(forged.clone())), Signed::Wrong);
    }

    #[test]
    fn a_signature_stands_beside_the_text() {
        let mut signed = unsigned();
        let text = signed.to_json();
        signed.sign(&key());
        assert_eq!((signed.to_json(), signed.verify().problems), (text.clone(), Vec::<String>::new()));
        let with = signed.to_signed_json();
        let signature = signed.signature.clone().unwrap();
        assert_eq!(with, format!("{},\"signature\":\"{signature}\"}}", text.strip_suffix('}').unwrap()));
        assert_eq!(IssuedStatement::from_json(&with).unwrap(), signed);
        assert_eq!(IssuedStatement::from_json(&text).unwrap(), IssuedStatement { signature: None, ..signed });
    }
}
