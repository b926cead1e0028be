//! Asking the DNS which servers offer a service (SRV, RFC 2782). What is done
//! with the answer is decided in `discover`.

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a name server may take, and how often one is asked.
const DNS_TIMEOUT: Duration = Duration::from_secs(4);
const DNS_ATTEMPTS: usize = 2;

/// One server of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The lower ones come first.
    pub priority: u16,
    /// Among those of one priority, how much of the work it should get.
    pub weight: u16,
    /// Empty where the domain says that there is no such service.
    pub target: String,
    pub port: u16,
}

/// Who offers this, by the machine's name servers or by this one. That nobody
/// does is an error of the kind [`ErrorKind::NotFound`], silence one of the kind
/// [`ErrorKind::TimedOut`].
pub async fn services(name_server: Option<SocketAddr>, name: &str) -> io::Result<Vec<Service>> {
    let mut builder = match name_server {
        Some(address) => asking(address),
        None => TokioResolver::builder_tokio().map_err(unanswered)?,
    };
    builder.options_mut().timeout = DNS_TIMEOUT;
    builder.options_mut().attempts = DNS_ATTEMPTS;
    // A dot at its end: no search domain of this machine is put behind it.
    let name = format!("{}.", name.trim_end_matches('.'));
    let answer = builder.build().map_err(unanswered)?.srv_lookup(name).await.map_err(unanswered)?;
    let service = |data: &RData| match data {
        RData::SRV(srv) => Some(Service {
            priority: srv.priority,
            weight: srv.weight,
            target: srv.target.to_utf8().trim_end_matches('.').to_owned(),
            port: srv.port,
        }),
        _ => None,
    };
    Ok(answer.answers().iter().filter_map(|record| service(&record.data)).collect())
}

fn asking(address: SocketAddr) -> ResolverBuilder<TokioRuntimeProvider> {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    connections.iter_mut().for_each(|connection| connection.port = address.port());
    let server = NameServerConfig::new(address.ip(), true, connections);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

fn unanswered(error: NetError) -> io::Error {
    let kind = match &error {
        error if error.is_no_records_found() => ErrorKind::NotFound,
        NetError::Timeout => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error.to_string())
}
