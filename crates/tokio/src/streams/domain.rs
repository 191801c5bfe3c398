//! Whom the certificate of a server names (RFC 5922 §7).

use std::sync::Arc;

use offhook_sip_message::Uri;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::VerifierBuilderError,
};
use webpki::EndEntityCert;

/// Checks certificates as rustls does, and their names as SIP wants it: a `sip:` URI without a user
/// counts, and where there is one the DNS names do not; no wildcard matches, unless it is allowed.
#[derive(Debug)]
pub(super) struct DomainVerifier {
    chain: Arc<WebPkiServerVerifier>,
    wildcards: bool,
}

impl DomainVerifier {
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
        wildcards: bool,
    ) -> Result<Self, VerifierBuilderError> {
        let chain = WebPkiServerVerifier::builder_with_provider(roots, provider).build()?;
        Ok(Self { chain, wildcards })
    }

    /// Holds `domain` against the names of the certificate, and gives them if it is none; `by_dns`:
    /// rustls has found it among the DNS names.
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        domain: &str,
        by_dns: bool,
    ) -> Result<(), Vec<String>> {
        let certificate = EndEntityCert::try_from(certificate).map_err(|_| Vec::new())?;
        let sip: Vec<_> = certificate.valid_uri_names().filter_map(sip_domain).collect();
        let same = |name: &String| name.eq_ignore_ascii_case(domain);
        if !sip.is_empty() {
            return if sip.iter().any(same) { Ok(()) } else { Err(sip) };
        }
        let dns: Vec<_> = certificate.valid_dns_names().map(str::to_owned).collect();
        let counts = self.wildcards || dns.iter().any(same);
        if by_dns && counts { Ok(()) } else { Err(dns) }
    }
}

/// The domain that a URI of a certificate names: that of a `sip:` URI without a user (§7.1).
fn sip_domain(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let uri = uri.as_sip().filter(|uri| !uri.secure && uri.user.is_none())?;
    Some(uri.host.to_string())
}

impl ServerCertVerifier for DomainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        // The name is held against the certificate last: all else is good then.
        let by_dns = match &verified {
            Ok(_) => true,
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => false,
            Err(_) => return verified,
        };
        let ServerName::DnsName(domain) = server_name else { return verified };
        match self.check(end_entity, domain.as_ref(), by_dns) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(presented) => {
                let expected = server_name.to_owned();
                let refused = CertificateError::NotValidForNameContext { expected, presented };
                Err(Error::InvalidCertificate(refused))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
