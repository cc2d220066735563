//! Keys of Ed25519 as OpenSSL writes them: PKCS#8 and SubjectPublicKeyInfo, in PEM.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use thiserror::Error;

/// The DER of a public key of Ed25519 before its bytes (RFC 8410).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PUBLIC_BYTES: usize = 32;
/// Bytes of the SHA-256 of a public key that name it.
const ID_BYTES: usize = 8;

const GENERATE: &str = "openssl genpkey -algorithm ed25519 -out key.pem";
const EXTRACT: &str = "openssl pkey -in key.pem -pubout -out public.pem";

/// Why a key cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct KeyError(String);

/// A private key that signs statements.
pub struct SigningKey {
    pub(crate) pair: Ed25519KeyPair,
    public: PublicKey,
}

/// The public key that belongs to a [`SigningKey`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) bytes: [u8; PUBLIC_BYTES],
    id: String,
}

impl fmt::Debug for SigningKey {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.public.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a private key in PEM. An error if it is encrypted, of another algorithm, or no private key.
    pub fn from_pem(text: &str) -> Result<SigningKey, KeyError> {
        let expected = format!("expected a private key of Ed25519 in PEM, as this writes one: {GENERATE}");
        let (label, der) = pem(text).ok_or_else(|| KeyError(format!("no PEM; {expected}")))?;
        let wrong = |what: &str| Err(KeyError(format!("{what}; {expected}")));
        match label {
            "PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => {
                return wrong("the private key is encrypted; decrypt it with: openssl pkey -in KEYFILE -out PLAINFILE");
            }
            "PUBLIC KEY" => return wrong("this is a public key, and signing needs the private one"),
            other => return wrong(&format!("this is a '{other}'")),
        }
        let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) else {
            return wrong("the private key is not of Ed25519, or damaged");
        };
        let Ok(bytes) = pair.public_key().as_ref().try_into() else {
            return wrong("the private key has no public key");
        };
        Ok(SigningKey { pair, public: PublicKey::new(bytes) })
    }

    /// The public key, with which anybody verifies.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl PublicKey {
    fn new(bytes: [u8; PUBLIC_BYTES]) -> Self {
        let der = [PUBLIC_PREFIX.as_slice(), &bytes].concat();
        let id = hex::encode(&digest(&SHA256, &der).as_ref()[..ID_BYTES]);
        PublicKey { bytes, id }
    }

    /// Reads a public key in PEM. An error if it is of another algorithm, or no public key.
    pub fn from_pem(text: &str) -> Result<PublicKey, KeyError> {
        let expected = format!("expected a public key of Ed25519 in PEM, as this writes one: {EXTRACT}");
        let (label, der) = pem(text).ok_or_else(|| KeyError(format!("no PEM; {expected}")))?;
        match label {
            "PUBLIC KEY" => {}
            "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
                let what = "this is a private key, which only signs and which nobody else should see";
                return Err(KeyError(format!("{what}; {expected}")));
            }
            other => return Err(KeyError(format!("this is a '{other}'; {expected}"))),
        }
        let bytes = der.strip_prefix(&PUBLIC_PREFIX).and_then(|bytes| bytes.try_into().ok());
        let bytes =
            bytes.ok_or_else(|| KeyError(format!("the public key is not of Ed25519, or damaged; {expected}")))?;
        Ok(PublicKey::new(bytes))
    }

    /// The first 16 hexadecimal digits of the SHA-256 of its DER form.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Label and content of the first block of PEM in a text.
fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (content, _) = rest.split_once("-----END ")?;
    let letters: String = content.split_whitespace().collect();
    Some((label, BASE64_STANDARD.decode(letters).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8410, section 10.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\r\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\r\n\
        -----END PRIVATE KEY-----\r\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_of_the_rfc_belong_together() {
        let key = SigningKey::from_pem(PRIVATE).unwrap();
        let public = PublicKey::from_pem(PUBLIC).unwrap();
        assert_eq!(key.public(), &public);
        // openssl pkey -pubin -in public.pem -outform DER | sha256sum
        assert_eq!(public.id().len(), 16);
        assert!(!format!("{key:?}").contains("pair"));
    }

    #[test]
    fn other_keys_are_refused_with_what_to_do() {
        let error = |text: &str| SigningKey::from_pem(text).unwrap_err().to_string();
        assert!(error(PUBLIC).starts_with("this is a public key, and signing needs the private one; expected"));
        assert!(error("hello").starts_with("no PEM; expected a private key of Ed25519"));
        assert!(error(&PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE")).starts_with("the private key is encrypted"));
        assert!(error(&PRIVATE.replace("PRIVATE", "OPENSSH PRIVATE")).contains("this is a 'OPENSSH PRIVATE KEY'"));
        assert!(error(&PRIVATE.replace("MC4CAQAw", "MC4CAQAx")).contains("not of Ed25519, or damaged"));
        let error = |text: &str| PublicKey::from_pem(text).unwrap_err().to_string();
        assert!(error(PRIVATE).starts_with("this is a private key"));
        assert!(error(&PUBLIC.replace("MCow", "MCox")).contains("not of Ed25519, or damaged"));
        assert!(error("-----BEGIN PUBLIC KEY-----\nnonsense!\n-----END PUBLIC KEY-----").starts_with("no PEM"));
    }
}
