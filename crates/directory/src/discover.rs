//! Which servers a directory has: those that are named, or those that the DNS
//! names for its domain.
//!
//! Servers of one domain are replicas that lag behind each other. So their order
//! is the same every time, the heavier before the lighter: the lots that RFC
//! 2782 draws among equals would show us another moment of the domain in every
//! run.

use crate::dial::Dial;
use crate::dns::Service;
use crate::error::Error;
use crate::settings::{Kind, Security, Settings};
use std::cmp::Reverse;
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::time::timeout;

/// Servers of a domain that are tried.
const SERVERS_MAX: usize = 16;
/// How long the DNS may take to name them.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// Where a directory can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
}

/// In the order in which they are tried; one at least.
pub async fn servers(dial: &dyn Dial, settings: &Settings) -> Result<Vec<Server>, Error> {
    let Some(domain) = &settings.domain else {
        let server = |host: &String| Server { host: host.clone(), port: settings.port };
        return Ok(settings.hosts.iter().map(server).collect());
    };
    let mut failure = None;
    for name in names(settings.kind, domain) {
        let answer = timeout(DISCOVERY_TIMEOUT, dial.services(&name)).await;
        let answer = answer.unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut)));
        match answer.map(|services| believed(services, domain, settings.security)) {
            Ok(Ok(services)) if !services.is_empty() => return Ok(in_order(services, settings.security)),
            Ok(Ok(_)) => failure = failure.or(Some(format!("`{name}` says that there is none"))),
            Ok(Err(stranger)) => {
                failure = failure.or(Some(format!(
                    "`{name}` names `{stranger}`, which is not in the domain, so its certificate would prove nothing"
                )));
            }
            // The next name may be there; silence is silence.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                failure = failure.or(Some(format!("the DNS has no SRV records of `{name}`")));
            }
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::TimedOut => "no answer".to_owned(),
                    _ => error.to_string(),
                };
                failure = Some(format!("the DNS was asked for `{name}`: {why}"));
                break;
            }
        }
    }
    let why = failure.unwrap_or_default();
    Err(Error::Connect {
        address: domain.clone(),
        why: format!(
            "{why}: check the domain's name and the name servers of this machine, or name the servers yourself"
        ),
        unknown_name: true,
    })
}

/// What is asked for, in turn. The name of domain controllers leaves out other
/// LDAP servers of the same domain (MS-ADTS 6.3.2.3).
fn names(kind: Kind, domain: &str) -> Vec<String> {
    let everywhere = format!("_ldap._tcp.{domain}");
    match kind {
        Kind::ActiveDirectory => vec![format!("_ldap._tcp.dc._msdcs.{domain}"), everywhere],
        _ => vec![everywhere],
    }
}

/// The DNS can be forged, and a certificate proves only the name that the DNS
/// gave: where there is to be proof, the name has to be one of the domain's own.
/// Fails with a name that is not, where no other is left.
fn believed(mut services: Vec<Service>, domain: &str, security: Security) -> Result<Vec<Service>, String> {
    let ours = |target: &str| {
        let at = target.len().checked_sub(domain.len());
        let tail = at.and_then(|at| Some((target.get(..at)?, target.get(at..)?)));
        tail.is_some_and(|(before, rest)| {
            rest.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with('.'))
        })
    };
    services.retain(|service| !service.target.is_empty());
    let stranger = services.first().map(|service| service.target.clone());
    if security != Security::None {
        services.retain(|service| ours(&service.target));
    }
    match stranger.filter(|_| services.is_empty()) {
        Some(stranger) => Err(stranger),
        None => Ok(services),
    }
}

fn in_order(mut services: Vec<Service>, security: Security) -> Vec<Server> {
    services.sort_by(|a, b| {
        let key = |service: &Service| (service.priority, Reverse(service.weight));
        (key(a), &a.target, a.port).cmp(&(key(b), &b.target, b.port))
    });
    services.truncate(SERVERS_MAX);
    // Domains name their plain port only.
    let port = |port| match (security, port) {
        (Security::Ldaps, 389) => 636,
        _ => port,
    };
    services.into_iter().map(|service| Server { host: service.target, port: port(service.port) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(priority: u16, weight: u16, target: &str, port: u16) -> Service {
        Service { priority, weight, target: target.to_owned(), port }
    }

    #[test]
    fn servers_come_in_the_order_of_the_domain_and_the_same_every_time() {
        let mut services = vec![
            service(10, 0, "far", 389),
            service(0, 10, "b", 389),
            service(0, 100, "heavy", 3890),
            service(0, 10, "a", 389),
        ];
        let expected = ["heavy:3890", "a:389", "b:389", "far:389"];
        for _ in 0..services.len() {
            services.rotate_left(1);
            let servers = in_order(services.clone(), Security::StartTls);
            let told: Vec<String> =
                servers.iter().map(|server| format!("{}:{}", server.host, server.port)).collect();
            assert_eq!(told, expected);
        }
        let ports: Vec<u16> = in_order(services, Security::Ldaps).iter().map(|server| server.port).collect();
        assert_eq!(ports, [3890, 636, 636, 636], "a port of its own is kept");
    }

    #[test]
    fn a_forged_name_gets_no_password() {
        let names = |security, targets: &[&str]| {
            let services = targets.iter().map(|target| service(0, 0, target, 636)).collect();
            let believed = believed(services, "example.org", security);
            believed.map(|services| services.into_iter().map(|service| service.target).collect::<Vec<_>>())
        };
        let own = ["dc1.example.org", "DC2.Branch.EXAMPLE.org", "example.org"];
        let strange = ["evil.test", "evilexample.org", "example.org.evil.test", "x"];
        for security in [Security::Ldaps, Security::StartTls] {
            assert_eq!(names(security, &[&own[..], &strange].concat()).unwrap(), own);
            assert_eq!(names(security, &strange), Err("evil.test".to_owned()));
            assert_eq!(
                names(security, &["", ""]),
                Ok(Vec::new()),
                "the domain's own word that there is none"
            );
        }
        // Nobody proves anything there, and the administrator allowed it.
        assert_eq!(names(Security::None, &strange).unwrap(), strange);
    }

    #[test]
    fn a_domain_of_many_servers_is_bounded() {
        let services = (0..500).map(|n| service(n, 0, "dc", 389)).collect();
        assert_eq!(in_order(services, Security::None).len(), SERVERS_MAX);
    }

    #[test]
    fn domain_controllers_are_asked_for_first() {
        assert_eq!(
            names(Kind::ActiveDirectory, "example.org"),
            ["_ldap._tcp.dc._msdcs.example.org", "_ldap._tcp.example.org"]
        );
        assert_eq!(names(Kind::FreeIpa, "example.org"), ["_ldap._tcp.example.org"]);
    }
}
