//! How a server is reached and what it is told about who asks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Identity};

use crate::error::{Error, Result};

/// How a server is reached and what it is told about who asks.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who asks.
    pub credentials: Option<Credentials>,
    /// Headers of every request, such as `X-Scope-OrgID`: name and value.
    pub headers: Vec<(String, String)>,
    /// A file of certificates, in PEM, that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
    /// A file with a certificate, and one with its key, in PEM, by which the server knows who asks.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate will do, of anybody.
    pub insecure: bool,
    /// How long one answer may take.
    pub timeout: Option<Duration>,
}

/// Who asks.
#[derive(Clone)]
pub enum Credentials {
    /// `Authorization: Bearer …`.
    Bearer(String),
    /// A name and a password.
    Basic(String, String),
}

/// Secrets are not shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Bearer(_) => "Bearer(…)",
            Credentials::Basic(..) => "Basic(…)",
        })
    }
}

impl Access {
    /// A client that reaches servers so.
    pub(crate) fn builder(&self) -> Result<ClientBuilder> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("nines/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout.unwrap_or(Duration::from_secs(120)))
            .connect_timeout(Duration::from_secs(10))
            .default_headers(self.header_map()?)
            .danger_accept_invalid_certs(self.insecure);
        if let Some(path) = &self.ca {
            let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(|error| unusable(path, &error))?;
            if certificates.is_empty() {
                return Err(Error::Setup(format!("{}: there is no certificate in PEM", path.display())));
            }
            builder = certificates.into_iter().fold(builder, ClientBuilder::add_root_certificate);
        }
        if let Some((certificate, key)) = &self.client_certificate {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            builder = builder.identity(Identity::from_pem(&pem).map_err(|error| unusable(certificate, &error))?);
        }
        Ok(builder)
    }

    fn header_map(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let bad = || Error::Setup(format!("the header {name:?} cannot be sent"));
            let name = HeaderName::try_from(name).map_err(|_| bad())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(headers)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::Setup(format!("{}: {error}", path.display())))
}

fn unusable(path: &Path, error: &reqwest::Error) -> Error {
    Error::Setup(format!("{}: not usable as a certificate: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_told_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "nothing").unwrap();
        let said = |access: Access| access.builder().unwrap_err().to_string();
        let none = format!("{}: there is no certificate in PEM", file.display());
        assert_eq!(said(Access { ca: Some(file.clone()), ..Access::default() }), none);
        assert!(
            said(Access { ca: Some("/none.pem".into()), ..Access::default() }).starts_with("/none.pem: No such file")
        );
        let header = vec![("X Scope".to_string(), "a".to_string())];
        assert_eq!(said(Access { headers: header, ..Access::default() }), "the header \"X Scope\" cannot be sent");
        let certificate = Some((file.clone(), file));
        assert!(
            said(Access { client_certificate: certificate, ..Access::default() })
                .contains("not usable as a certificate")
        );
        assert_eq!(format!("{:?}", Credentials::Bearer("secret".to_string())), "Bearer(…)");
    }
}
