//! The settings of TLS (RFC 3261 §26.3.1, RFC 5922): rustls with the ring provider, TLS 1.2 and 1.3.
//!
//! A server's certificate must be valid for the host of the URI, never for a name that DNS led to. It
//! is held against the `sip:` URIs, the DNS names and the IP addresses of the certificate.

use std::{fmt, io, sync::Arc};

use offhook_sip_message::Host;
use thiserror::Error;
use tokio::{net::TcpStream, sync::OnceCell};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject},
        server::{VerifierBuilderError, WebPkiClientVerifier},
    },
};
use tracing::debug;

use super::domain::DomainVerifier;

/// TLS cannot be set up as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The text holds no certificate or no key, or is no PEM (RFC 7468).
    #[error("not the PEM that was expected: {0}")]
    Pem(String),
    /// The certificate and the key cannot be used.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// The roots for the certificates of clients cannot be used.
    #[error("client certificates: {0}")]
    ClientRoots(String),
    /// The roots for the certificates of servers cannot be used.
    #[error("root certificates: {0}")]
    Roots(String),
    /// The system has no roots.
    #[error("the system's root certificates cannot be read: {0}")]
    SystemRoots(String),
}

/// A certificate chain and its private key.
pub struct TlsIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl TlsIdentity {
    /// Reads PEM text (RFC 7468): the chain with the own certificate first, and the key as PKCS #8,
    /// PKCS #1 or SEC1. Both may stand in one text.
    ///
    /// # Errors
    ///
    /// If either is missing or cannot be read.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(bad_pem)?;
        Ok(Self { chain, key })
    }
}

impl Clone for TlsIdentity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// Says nothing of the key.
impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("certificates", &self.chain.len()).finish()
    }
}

/// The certificate authorities that are trusted.
#[derive(Clone, Debug)]
pub struct Roots(Trusted);

#[derive(Clone, Debug)]
enum Trusted {
    System,
    Given(Arc<RootCertStore>),
}

impl Roots {
    /// Those that the system trusts. They are read when they are needed first.
    pub const fn system() -> Self {
        Self(Trusted::System)
    }

    /// Those in a PEM text, and no others.
    ///
    /// # Errors
    ///
    /// If there is none, or one cannot be read.
    pub fn from_pem(certificates_pem: &[u8]) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(certificates_pem)? {
            store.add(certificate)?;
        }
        Ok(Self(Trusted::Given(Arc::new(store))))
    }

    fn store(&self) -> Result<Arc<RootCertStore>, TlsError> {
        match &self.0 {
            Trusted::Given(store) => Ok(Arc::clone(store)),
            Trusted::System => system_roots().map(Arc::new),
        }
    }
}

/// How a listener speaks TLS.
#[derive(Clone, Debug)]
pub struct ServerTls {
    identity: TlsIdentity,
    clients: Option<Roots>,
}

impl ServerTls {
    /// Shows `identity` to every client, and asks none for a certificate.
    pub const fn new(identity: TlsIdentity) -> Self {
        Self { identity, clients: None }
    }

    /// Takes only clients that show a certificate of one of `roots`.
    #[must_use]
    pub fn require_client_certificates(mut self, roots: Roots) -> Self {
        self.clients = Some(roots);
        self
    }

    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(roots) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots.store()?, provider());
                builder.with_client_cert_verifier(verifier.build().map_err(bad_roots)?)
            }
        };
        let TlsIdentity { chain, key } = self.identity.clone();
        Ok(TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key)?)))
    }
}

/// How connections to peers speak TLS.
#[derive(Debug)]
pub struct ClientTls {
    roots: Roots,
    identity: Option<TlsIdentity>,
    wildcards: bool,
    config: OnceCell<Arc<ClientConfig>>,
}

impl ClientTls {
    /// Trusts servers with a certificate of one of `roots`.
    pub const fn new(roots: Roots) -> Self {
        Self { roots, identity: None, wildcards: false, config: OnceCell::const_new() }
    }

    /// Whether `*.example.com` in a certificate stands for `sip.example.com`. SIP forbids that
    /// (RFC 5922 §7.2), and some providers have such certificates nevertheless. Default: no.
    #[must_use]
    pub fn allow_wildcards(mut self, allow: bool) -> Self {
        self.wildcards = allow;
        self.config = OnceCell::new();
        self
    }

    /// Shows `identity` to servers that ask for a certificate.
    #[must_use]
    pub fn identity(mut self, identity: TlsIdentity) -> Self {
        self.identity = Some(identity);
        self.config = OnceCell::new();
        self
    }

    /// The client's handshake with a server that must be `host`.
    pub(super) async fn connect(
        self: &Arc<Self>,
        stream: TcpStream,
        host: &Host,
    ) -> Result<TlsStream<TcpStream>, io::Error> {
        let config = self.config().await.map_err(io::Error::other)?;
        let name = server_name(host).map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    }

    /// Made once, off the driver's thread: the system's roots are files.
    async fn config(self: &Arc<Self>) -> Result<Arc<ClientConfig>, TlsError> {
        let this = Arc::clone(self);
        let make = || async {
            let made = tokio::task::spawn_blocking(move || this.make()).await;
            made.unwrap_or_else(|error| Err(TlsError::SystemRoots(error.to_string())))
        };
        self.config.get_or_try_init(make).await.cloned()
    }

    fn make(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let verifier = DomainVerifier::new(self.roots.store()?, provider(), self.wildcards);
        let verifier = Arc::new(verifier.map_err(|error| TlsError::Roots(error.to_string()))?);
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(Arc::new(match self.identity.clone() {
            Some(TlsIdentity { chain, key }) => builder.with_client_auth_cert(chain, key)?,
            None => builder.with_no_client_auth(),
        }))
    }
}

impl Default for ClientTls {
    fn default() -> Self {
        Self::new(Roots::system())
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, TlsError> {
    match host {
        Host::V4(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        Host::V6(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        Host::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|error| TlsError::Rustls(rustls::Error::General(error.to_string()))),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found.map_err(bad_pem)? {
        none if none.is_empty() => Err(TlsError::Pem("there is no certificate".to_owned())),
        found => Ok(found),
    }
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        debug!(%error, "a root certificate of the system cannot be read");
    }
    let mut store = RootCertStore::empty();
    let (added, ignored) = store.add_parsable_certificates(found.certs);
    debug!(added, ignored, "the system's root certificates");
    match added {
        0 => Err(TlsError::SystemRoots("there is none".to_owned())),
        _ => Ok(store),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn bad_pem(error: pem::Error) -> TlsError {
    TlsError::Pem(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn bad_roots(error: VerifierBuilderError) -> TlsError {
    TlsError::ClientRoots(error.to_string())
}
