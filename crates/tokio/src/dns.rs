//! Putting the questions of a [`Locator`](offhook_sip::Locator) to DNS.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, Record, RecordType as HickoryType},
    },
};
use offhook_sip::{DnsAnswer, DnsQuestion, DnsRecord, DnsValue, Naptr, RecordType, Srv};
use tokio::sync::mpsc;
use tracing::debug;

use crate::arrival::Arrival;

/// How names are resolved (RFC 3263).
#[derive(Clone, Debug, Default)]
pub struct Dns {
    /// `None`: those of the system.
    servers: Option<Vec<SocketAddr>>,
    hosts: HashMap<String, Vec<IpAddr>>,
}

impl Dns {
    /// As the system does: its name servers and its hosts file.
    pub fn system() -> Self {
        Self::default()
    }

    /// By these name servers, over UDP and TCP, and without the system's hosts file.
    pub fn servers(servers: impl Into<Vec<SocketAddr>>) -> Self {
        Self { servers: Some(servers.into()), hosts: HashMap::new() }
    }

    /// Says that `name` has these addresses, and no services (SRV) of its own. DNS is not asked
    /// about it.
    #[must_use]
    pub fn host(mut self, name: &str, addresses: impl Into<Vec<IpAddr>>) -> Self {
        self.hosts.insert(canonical(name), addresses.into());
        self
    }
}

/// Asks DNS for one driver.
pub(crate) struct Resolver {
    settings: Dns,
    /// Made when the first name is asked for: most hosts of a small system are addresses.
    resolver: Option<TokioResolver>,
    arrivals: mpsc::Sender<Arrival>,
}

impl Resolver {
    pub(crate) fn new(settings: Dns, arrivals: mpsc::Sender<Arrival>) -> Self {
        Self { settings, resolver: None, arrivals }
    }

    /// Answers a question at once, or has its answer arrive.
    pub(crate) fn ask(&mut self, question: &DnsQuestion) -> Option<DnsAnswer> {
        if let Some(answer) = self.known(question) {
            return Some(answer);
        }
        let resolver = match self.resolver() {
            Ok(resolver) => resolver.clone(),
            Err(error) => {
                debug!(%error, "DNS cannot be asked");
                return Some(DnsAnswer::Failed);
            }
        };
        let (question, arrivals) = (question.clone(), self.arrivals.clone());
        tokio::spawn(async move {
            let answer = look_up(&resolver, &question).await;
            // A driver that is gone needs no answer.
            let _ = arrivals.send(Arrival::Resolved { question: question.id, answer }).await;
        });
        None
    }

    /// What the hosts of the settings say, and RFC 6761 §6.3 of `localhost`.
    fn known(&self, question: &DnsQuestion) -> Option<DnsAnswer> {
        let name = canonical(question.name.as_str());
        let host = match question.record_type {
            // `_sip._udp.host` is about the host.
            RecordType::Srv => name.splitn(3, '.').nth(2).unwrap_or_default(),
            RecordType::Naptr | RecordType::A | RecordType::Aaaa => &name,
        };
        let localhost = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let addresses = match self.settings.hosts.get(host) {
            Some(addresses) => addresses.as_slice(),
            None if host == "localhost" || host.ends_with(".localhost") => &localhost,
            None => return None,
        };
        let of_type = |address: &&IpAddr| match question.record_type {
            RecordType::A => address.is_ipv4(),
            RecordType::Aaaa => address.is_ipv6(),
            RecordType::Naptr | RecordType::Srv => false,
        };
        let record = |ip: &IpAddr| DnsRecord { ttl: Duration::ZERO, value: DnsValue::Address(*ip) };
        let records: Vec<_> = addresses.iter().filter(of_type).map(record).collect();
        Some(match records.is_empty() {
            true => DnsAnswer::NoRecords { ttl: Duration::ZERO },
            false => DnsAnswer::Records(records),
        })
    }

    fn resolver(&mut self) -> Result<&TokioResolver, NetError> {
        let made = match (self.resolver.take(), &self.settings.servers) {
            (Some(made), _) => made,
            (None, Some(servers)) => {
                let servers = servers.iter().map(|server| name_server(*server)).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                let runtime = TokioRuntimeProvider::default();
                let mut builder = TokioResolver::builder_with_config(config, runtime);
                set(builder.options_mut());
                builder.options_mut().use_hosts_file =
                    hickory_resolver::config::ResolveHosts::Never;
                builder.build()?
            }
            (None, None) => {
                let mut builder = TokioResolver::builder_tokio()?;
                set(builder.options_mut());
                builder.build()?
            }
        };
        Ok(self.resolver.insert(made))
    }
}

/// The locator keeps the answers and their times itself.
fn set(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.timeout = QUESTION_TIME;
    options.attempts = TRIES;
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

async fn look_up(resolver: &TokioResolver, question: &DnsQuestion) -> DnsAnswer {
    let Ok(mut name) = Name::from_ascii(question.name.as_str()) else { return DnsAnswer::Failed };
    // As it stands: no search list is applied.
    name.set_fqdn(true);
    let kind = match question.record_type {
        RecordType::Naptr => HickoryType::NAPTR,
        RecordType::Srv => HickoryType::SRV,
        RecordType::A => HickoryType::A,
        RecordType::Aaaa => HickoryType::AAAA,
    };
    match resolver.lookup(name, kind).await {
        Ok(found) => DnsAnswer::Records(found.answers().iter().filter_map(record).collect()),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
            let ttl = Duration::from_secs(none.negative_ttl.unwrap_or_default().into());
            match none.response_code {
                ResponseCode::NXDomain => DnsAnswer::NoSuchName { ttl },
                ResponseCode::NoError => DnsAnswer::NoRecords { ttl },
                _ => DnsAnswer::Failed,
            }
        }
        Err(error) => {
            debug!(name = %question.name, %error, "DNS could not tell");
            DnsAnswer::Failed
        }
    }
}

/// The record in the locator's terms; `None` for one that it did not ask for or cannot use.
fn record(record: &Record) -> Option<DnsRecord> {
    let value = match &record.data {
        RData::A(address) => DnsValue::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => DnsValue::Address(IpAddr::V6(address.0)),
        RData::SRV(srv) => DnsValue::Srv(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii().parse().ok()?,
        }),
        RData::NAPTR(naptr) => DnsValue::Naptr(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags)?,
            services: text(&naptr.services)?,
            regexp: text(&naptr.regexp)?,
            replacement: naptr.replacement.to_ascii().parse().ok()?,
        }),
        // Aliases on the way to what was asked for.
        _ => return None,
    };
    Some(DnsRecord { ttl: Duration::from_secs(record.ttl.into()), value })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// How long one name server has for an answer: half of what the locator gives a question.
const QUESTION_TIME: Duration = Duration::from_millis(1_500);
/// How often a question is asked in its time.
const TRIES: usize = 2;
