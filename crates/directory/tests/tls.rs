//! Who is believed: a TLS server of our own with certificates good and bad.

// Helpers of tests are no test functions to the lint.
#![allow(clippy::unwrap_used, clippy::panic)]

use directory::{
    AttributeMap, Directory, Error, Fingerprint, Kind, Known, Security, Settings, SignIn, TcpDial, Trust,
    certificate,
};
use effects::SystemClock;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reconcile::canonical::Fingerprinter;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// A self-signed certificate, as many laboratories have it.
    fn new(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        Identity { certificate: params.self_signed(&key).unwrap(), key }
    }

    fn print(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.certificate.der()).into())
    }
}

/// Shows one identity's certificate and signs with another's key.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Serves TLS and nothing else; returns the port.
async fn serve(shown: &Identity, held: &Identity) -> u16 {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(held.key.serialize_der()));
    let key = default_provider().key_provider.load_private_key(key).unwrap();
    let certified = CertifiedKey::new(vec![shown.certificate.der().clone()], key);
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(certified))));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { drop(acceptor.accept(stream).await) });
        }
    });
    port
}

/// What comes of connecting: the server is no directory, so being believed
/// means to get past TLS and be hung up on.
async fn connect(port: u16, trust: Trust) -> Error {
    let settings = Settings {
        kind: Kind::OpenLdap,
        hosts: vec!["localhost".to_owned()],
        domain: None,
        port,
        security: Security::Ldaps,
        trust,
        sign_in: SignIn::Simple { dn: "cn=sync,dc=example,dc=test".to_owned() },
        client_certificate: None,
        base_dn: "dc=example,dc=test".to_owned(),
        ous: Vec::new(),
        exclude: Vec::new(),
        groups: Vec::new(),
        filter: None,
        id_attribute: None,
        map: AttributeMap::default_of(Kind::OpenLdap),
        allow_plain: false,
        region: None,
        page_size: 500,
    };
    let secret = Some("secret".to_owned().into());
    let fingerprinter = Fingerprinter::new([1; 32]);
    let mut directory =
        Directory::new(settings, secret, fingerprinter, Arc::new(TcpDial), Arc::new(SystemClock)).unwrap();
    directory.read_people(&Known::default(), &mut |_| {}).await.expect_err("no directory there")
}

fn refused(error: Error, words: &str, shown: &Identity) {
    match error {
        Error::Tls { why, seen, .. } => {
            assert!(why.contains(words), "{words}: {why}");
            assert_eq!(seen, Some(shown.print()), "the administrator needs the fingerprint to pin it");
        }
        other => panic!("{words}: {other}"),
    }
}

#[tokio::test]
async fn a_pinned_certificate_is_believed_whatever_it_says() {
    let server = Identity::new("elsewhere.example.test", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let port = serve(&server, &server).await;
    let error = connect(port, Trust::Fingerprint(server.print())).await;
    assert!(matches!(error, Error::Lost { .. }), "{error}");
}

#[tokio::test]
async fn the_pinned_certificate_with_another_key_is_refused() {
    let server = Identity::new("localhost", |_| {});
    let thief = Identity::new("localhost", |_| {});
    let port = serve(&server, &thief).await;
    refused(connect(port, Trust::Fingerprint(server.print())).await, "does not hold the key", &server);
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused() {
    let server = Identity::new("localhost", |_| {});
    let other = Identity::new("localhost", |_| {});
    let port = serve(&other, &other).await;
    refused(connect(port, Trust::Fingerprint(server.print())).await, "another certificate", &other);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_by_system_and_ca_alike() {
    let server = Identity::new("localhost", |_| {});
    let ca = Identity::new("ca", |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let port = serve(&server, &server).await;
    for trust in [Trust::System, Trust::CaPem(ca.certificate.pem())] {
        refused(connect(port, trust).await, "not trusted here", &server);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = connect(port, Trust::System).await.to_string();
    assert!(error.contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_certificate_is_shown_without_being_believed() {
    let server = Identity::new("elsewhere.example.test", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        params.subject_alt_names.push(rcgen::SanType::IpAddress("127.0.0.1".parse().unwrap()));
        params.distinguished_name.push(rcgen::DnType::CommonName, "dc\u{7}1");
    });
    let port = serve(&server, &server).await;
    let shown = certificate(&TcpDial, "localhost", port, Security::Ldaps).await.unwrap();
    assert_eq!(shown.fingerprint, server.print());
    assert_eq!((shown.subject.as_str(), shown.issuer.as_str()), ("CN=dc1", "CN=dc1"));
    assert_eq!(shown.names, ["elsewhere.example.test", "127.0.0.1"]);
    assert_eq!((shown.not_before_ms, shown.not_after_ms), (1_577_836_800_000, 1_609_459_200_000));
}

/// Whoever shows a certificate that is not theirs is not offered for pinning.
#[tokio::test]
async fn a_certificate_is_not_shown_for_somebody_elses_key() {
    let server = Identity::new("localhost", |_| {});
    let thief = Identity::new("localhost", |_| {});
    let port = serve(&server, &thief).await;
    let error = certificate(&TcpDial, "localhost", port, Security::Ldaps).await.expect_err("no proof");
    refused(error, "does not hold the key", &server);
    let none = certificate(&TcpDial, "localhost", port, Security::None).await.expect_err("no TLS");
    assert!(none.to_string().contains("choose LDAPS"), "{none}");
}

/// After the handshake's last word from us the server gets nothing more: its
/// side ends with our alert.
#[tokio::test]
async fn nothing_but_the_handshake_is_sent_to_see_a_certificate() {
    let server = Identity::new("localhost", |_| {});
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let end = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(drop)
    });
    certificate(&TcpDial, "localhost", port, Security::Ldaps).await.unwrap();
    let error = end.await.unwrap().expect_err("the handshake was never finished");
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    assert!(matches!(inner, Some(rustls::Error::AlertReceived(_))), "{error:?}");
}
