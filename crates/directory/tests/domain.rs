//! A directory whose servers are named by its domain: a real name server and
//! real sockets on loopback.

#![allow(clippy::unwrap_used, clippy::panic)]

use directory::{
    AttributeMap, Dial, DialByDns, Directory, Error, Kind, Known, Security, Settings, SignIn, StepName,
    Stream, TcpDial, Trust,
};
use effects::{BoxFuture, ManualClock, SeededRandom};
use reconcile::canonical::Fingerprinter;
use sandbox::company::Company;
use sandbox::directory::{Options, Personality, serve};
use sandbox::dns::{NameServer, Offer};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::sync::Arc;

const PEOPLE: usize = 12;
const DOMAIN: &str = "example.test";

fn settings(kind: Kind) -> Settings {
    Settings {
        kind,
        hosts: Vec::new(),
        domain: Some(DOMAIN.to_owned()),
        port: 389,
        security: Security::None,
        trust: Trust::System,
        sign_in: SignIn::Simple { dn: "cn=pbx-sync,dc=example,dc=test".to_owned() },
        client_certificate: None,
        base_dn: "dc=example,dc=test".to_owned(),
        ous: Vec::new(),
        exclude: Vec::new(),
        groups: Vec::new(),
        filter: None,
        id_attribute: None,
        map: AttributeMap::default_of(kind),
        allow_plain: true,
        region: None,
        page_size: 50,
    }
}

fn client(settings: Settings, dial: Arc<dyn Dial>) -> Directory {
    let clock = Arc::new(ManualClock::at(1_800_000_000_000));
    Directory::new(settings, Some("secret".to_owned().into()), Fingerprinter::new([3; 32]), dial, clock)
        .unwrap()
}

/// Asks a name server with these offers.
async fn asked(kind: Kind, offers: Vec<Offer>) -> (NameServer, Directory) {
    let dns = NameServer::start(offers).await.unwrap();
    let client = client(settings(kind), Arc::new(DialByDns(dns.addr)));
    (dns, client)
}

async fn failure(kind: Kind, offers: Vec<Offer>) -> String {
    let (_dns, mut client) = asked(kind, offers).await;
    let error = client.read_people(&Known::default(), &mut |_| {}).await.err().unwrap();
    assert!(matches!(error, Error::Connect { unknown_name: true, .. }), "{error:?}");
    let steps = client.test().await;
    assert_eq!((steps[0].name, &steps[0].detail), (StepName::Domain, &error.to_string()));
    assert!(steps[1..].iter().all(|step| !step.is_ok() && step.detail.is_empty()), "{steps:?}");
    error.to_string()
}

fn offer(name: &str, servers: &[(u16, u16, u16, &str)]) -> Offer {
    let servers =
        servers.iter().map(|(priority, weight, port, host)| (*priority, *weight, *port, (*host).to_owned()));
    (name.to_owned(), servers.collect())
}

/// A port where nobody listens.
fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn the_domain_names_its_servers_and_one_that_answers_is_found() {
    let (clock, random) = (Arc::new(ManualClock::at(1_800_000_000_000)), Arc::new(SeededRandom::new(7)));
    let options = Options::new(Personality::OpenLdap, "secret".to_owned().into(), clock, random);
    let directory = sandbox::directory::Directory::new(options).unwrap();
    directory.populate(&Company::new(PEOPLE, 7)).unwrap();
    let server = serve(directory, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (port, dead) = (server.addr.port(), nobody());
    let offers = [(10, 0, dead, "far.invalid"), (0, 1, port, "localhost"), (0, 9, dead, "localhost")];
    let (_dns, mut client) = asked(Kind::OpenLdap, vec![offer("_ldap._tcp.example.test", &offers)]).await;
    let read = client.read_people(&Known::default(), &mut |_| {}).await.unwrap();
    assert_eq!(read.snapshot.rows.len(), PEOPLE);
    let steps = client.test().await;
    assert!(steps.iter().take(6).all(directory::Step::is_ok), "{steps:#?}");
    let named = format!("{DOMAIN} names localhost:{dead}, localhost:{port}, far.invalid:{dead}");
    assert_eq!((steps[0].name, &steps[0].detail), (StepName::Domain, &named));
}

#[tokio::test]
async fn what_the_domain_does_not_name_is_told_with_what_was_asked() {
    let told = failure(Kind::OpenLdap, Vec::new()).await;
    assert_eq!(
        told,
        "example.test: no connection: the DNS has no SRV records of `_ldap._tcp.example.test`: check the domain's name \
         and the name servers of this machine, or name the servers yourself"
    );
    let none = vec![offer("_ldap._tcp.example.test", &[(0, 0, 0, "")])];
    let told = failure(Kind::FreeIpa, none).await;
    assert!(told.contains("`_ldap._tcp.example.test` says that there is none"), "{told}");
    // A domain controller is looked for first; what it was called is told.
    let told = failure(Kind::ActiveDirectory, Vec::new()).await;
    assert!(told.contains("`_ldap._tcp.dc._msdcs.example.test`"), "{told}");
}

/// Other LDAP servers of a domain are asked where no controller is named.
#[tokio::test]
async fn without_domain_controllers_the_other_servers_are_taken() {
    let dead = nobody();
    let offers = vec![offer("_ldap._tcp.example.test", &[(0, 0, dead, "localhost")])];
    let (_dns, client) = asked(Kind::ActiveDirectory, offers).await;
    let steps = client.test().await;
    assert_eq!(steps[0].detail, format!("{DOMAIN} names localhost:{dead}"));
}

#[derive(Debug)]
struct Silent;

impl Dial for Silent {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        TcpDial.dial(host, port)
    }

    fn services<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<directory::Service>>> {
        Box::pin(async { Err(io::Error::from(ErrorKind::TimedOut)) })
    }
}

#[tokio::test]
async fn a_silent_name_server_is_not_a_domain_without_servers() {
    let mut client = client(settings(Kind::ActiveDirectory), Arc::new(Silent));
    let error = client.read_people(&Known::default(), &mut |_| {}).await.err().unwrap().to_string();
    assert!(error.contains("asked for `_ldap._tcp.dc._msdcs.example.test`: no answer"), "{error}");
}
