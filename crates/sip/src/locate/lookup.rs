//! One lookup, from the headers of a message to targets (RFC 3263 §4.1, §4.2):
//!
//! 1. NAPTR of the domain tells the services, if the message names neither transport nor port.
//! 2. SRV of each service tells its servers. Without NAPTR all transports of this endpoint are
//!    asked for; without SRV the domain itself is the server.
//! 3. A and AAAA of all servers, asked at once. Targets come out in order, each as soon as all
//!    before it are known.
//!
//! There is no way back to an earlier step, and the targets of SRV are asked for addresses alone:
//! a lookup cannot loop, whatever DNS says.

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use offhook_sansio::{Protocol, Random};
use offhook_sip_message::Host;

use super::{
    DnsName, LocateError, LocatorConfig, LocatorStatistics, NextHop, RecordType, Srv, Target,
    answer::Outcome,
    asked::Asked,
    failures::Failures,
    naptr,
    question::Query,
    selection::{Selection, Server, Service, default_protocol, host_name, select, usable},
    srv,
    targets::Targets,
};
use crate::transport::default_port;

/// The state of one lookup.
#[derive(Debug)]
pub(super) struct Lookup {
    domain: Host,
    /// The name that DNS is asked about; none if TARGET is numeric.
    name: Option<DnsName>,
    usable: Vec<Protocol>,
    default: Protocol,
    stage: Stage,
    /// The questions so far; the locator puts them, and takes what is open from here.
    pub(super) asked: Asked,
    /// A server was passed over because it would have taken too many questions.
    cut: bool,
    targets: Targets,
    /// The owner waits for a target.
    pub(super) owes: bool,
    /// The target that the owner is trying.
    pub(super) current: Option<Target>,
}

#[derive(Debug)]
enum Stage {
    /// NAPTR of the domain has been asked for.
    Domain(DnsName),
    /// SRV of the services has been asked for.
    Services(Services),
    /// The addresses of these servers have been asked for.
    Servers(VecDeque<Server>),
}

#[derive(Debug)]
struct Services {
    /// The host that is the server itself if it has no SRV record, and how it is reached then.
    name: DnsName,
    fallback: Protocol,
    services: Vec<Service>,
}

/// What all lookups share.
pub(super) struct Context<'a> {
    pub(super) config: &'a LocatorConfig,
    pub(super) random: &'a mut Random,
    pub(super) statistics: &'a mut LocatorStatistics,
}

impl Lookup {
    /// Starts with what the headers decide by themselves.
    pub(super) fn new(hop: &NextHop, context: &mut Context<'_>) -> Result<Self, LocateError> {
        let usable = usable(hop, context.config)?;
        let selection = select(hop, &usable, context.config.families)?;
        let mut lookup = Self {
            domain: hop.domain.clone(),
            name: host_name(&hop.host)?,
            default: default_protocol(hop, &usable),
            usable,
            stage: Stage::Servers(VecDeque::new()),
            asked: Asked::new(context.config.max_questions),
            cut: false,
            targets: Targets::default(),
            owes: true,
            current: None,
        };
        lookup.begin(selection, context);
        Ok(lookup)
    }

    /// Goes as far as the answers at hand allow.
    pub(super) fn advance(&mut self, context: &mut Context<'_>) -> Result<(), LocateError> {
        if let Stage::Domain(name) = &self.stage
            && let Some(outcome) = self.asked.outcome(&Query::new(name, RecordType::Naptr))
        {
            let (name, outcome) = (name.clone(), outcome.clone());
            self.choose_services(name, &outcome, context);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Servers(VecDeque::new()));
        match stage {
            Stage::Services(asked) if self.is_settled(&asked.services) => {
                let servers = self.servers(&asked, context)?;
                self.ask_addresses(servers, context);
            }
            stage => self.stage = stage,
        }
        Ok(())
    }

    /// The next target; `None` if it depends on an answer that is not there yet.
    pub(super) fn next_target(
        &mut self,
        now: Instant,
        failures: &Failures,
        context: &mut Context<'_>,
    ) -> Result<Option<Target>, LocateError> {
        loop {
            let good = self.targets.next_good(now, failures, context.statistics);
            if good.is_some() {
                return Ok(good);
            }
            let Stage::Servers(servers) = &mut self.stage else { return Ok(None) };
            let Some(server) = servers.pop_front() else { break };
            if let Err(server) = self.resolve(server, context)
                && let Stage::Servers(servers) = &mut self.stage
            {
                servers.push_front(server);
                return Ok(None);
            }
        }
        let doubtful = self.targets.next_doubtful(now, failures, context.statistics);
        doubtful.map(Some).ok_or_else(|| self.reason())
    }
}

/// The steps.
impl Lookup {
    fn begin(&mut self, selection: Selection, context: &mut Context<'_>) {
        match (selection, self.name.clone()) {
            (Selection::Target(target), _) => self.add(target, context),
            (Selection::Host(server), _) => self.ask_addresses(vec![server], context),
            (Selection::Service(service), Some(name)) => {
                self.ask_services(name, service.protocol, vec![service], context);
            }
            (Selection::Domain, Some(name)) => self.ask_domain(name, context),
            // Only names are asked about.
            (Selection::Service(_) | Selection::Domain, None) => {}
        }
    }

    fn ask_domain(&mut self, name: DnsName, context: &mut Context<'_>) {
        if self.asked.ask(Query::new(&name, RecordType::Naptr)) {
            self.stage = Stage::Domain(name);
        } else {
            self.choose_services(name, &Outcome::NoRecords, context);
        }
    }

    /// Without NAPTR records that apply, all transports are asked for (RFC 3263 §4.1).
    fn choose_services(&mut self, name: DnsName, outcome: &Outcome, context: &mut Context<'_>) {
        let (offered, passed_over) = naptr::services(outcome.pointers(), &self.usable);
        add(&mut context.statistics.records, passed_over);
        match offered.first().map(|service| service.protocol) {
            Some(preferred) => self.ask_services(name, preferred, offered, context),
            None => {
                let of = |protocol: &Protocol| Service::of(&name, *protocol);
                let all = self.usable.iter().filter_map(of).collect();
                self.ask_services(name, self.default, all, context);
            }
        }
    }

    fn ask_services(
        &mut self,
        name: DnsName,
        fallback: Protocol,
        mut services: Vec<Service>,
        context: &mut Context<'_>,
    ) {
        services.retain(|service| {
            let asked = self.asked.ask(Query::new(&service.name, RecordType::Srv));
            self.pass_over(!asked, context)
        });
        self.stage = Stage::Services(Services { name, fallback, services });
    }

    /// The servers of the services, or the domain itself if it has no SRV record.
    fn servers(
        &self,
        asked: &Services,
        context: &mut Context<'_>,
    ) -> Result<Vec<Server>, LocateError> {
        let mut found = Vec::new();
        let mut refused = Vec::new();
        for service in &asked.services {
            let outcome = self.asked.outcome(&Query::new(&service.name, RecordType::Srv));
            let records: Vec<Srv> =
                outcome.into_iter().flat_map(Outcome::servers).cloned().collect();
            let came = records.len();
            let servers = of_service(service.protocol, records, context);
            if came > 0 && servers.is_empty() {
                refused.push(service.protocol);
            }
            found.extend(servers);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        // RFC 2782: a lone record with the target "." ends the search.
        if refused.contains(&asked.fallback) {
            return Err(LocateError::NotOffered { domain: self.domain.clone() });
        }
        let (protocol, host) = (asked.fallback, asked.name.clone());
        Ok(vec![Server { protocol, host, port: default_port(protocol) }])
    }

    fn ask_addresses(&mut self, mut servers: Vec<Server>, context: &mut Context<'_>) {
        let families = context.config.families.record_types();
        servers.retain(|server| {
            let mut queries = families.iter().map(|family| Query::new(&server.host, *family));
            let asked = queries.all(|query| self.asked.ask(query));
            self.cut |= !asked;
            self.pass_over(!asked, context)
        });
        self.stage = Stage::Servers(servers.into());
    }

    /// Takes the addresses of `server`, or gives it back if they are not all known.
    fn resolve(&mut self, server: Server, context: &mut Context<'_>) -> Result<(), Server> {
        let mut addresses = Vec::new();
        for family in context.config.families.record_types() {
            match self.asked.outcome(&Query::new(&server.host, *family)) {
                Some(outcome) => addresses.extend(outcome.addresses()),
                None => return Err(server),
            }
        }
        for ip in addresses {
            let address = SocketAddr::new(ip, server.port);
            let target = Target { protocol: server.protocol, address, domain: self.domain.clone() };
            self.add(target, context);
        }
        Ok(())
    }

    fn add(&mut self, target: Target, context: &mut Context<'_>) {
        let added = self.targets.add(target, context.config.max_targets);
        add(&mut context.statistics.addresses, u64::from(!added));
    }

    /// Why there is no target (left).
    fn reason(&self) -> LocateError {
        let domain = self.domain.clone();
        let nobody = self.name.as_ref().is_some_and(|name| self.asked.is_nobody(name));
        match self.targets.spared_until() {
            _ if self.targets.given() => LocateError::Exhausted { domain },
            Some(until) => LocateError::Unavailable { domain, until },
            None if self.asked.came(&Outcome::TimedOut) => LocateError::TimedOut { domain },
            None if self.asked.came(&Outcome::Failed) => LocateError::DnsFailed { domain },
            None if self.cut => LocateError::TooManyQuestions { domain },
            // That there is no name of a service below the domain means little.
            None if nobody => LocateError::NoSuchDomain { domain },
            None => LocateError::NoAddress { domain },
        }
    }

    fn is_settled(&self, services: &[Service]) -> bool {
        let query = |service: &Service| Query::new(&service.name, RecordType::Srv);
        services.iter().all(|service| self.asked.outcome(&query(service)).is_some())
    }

    /// Counts a service or server if it is passed over; tells whether it is kept.
    fn pass_over(&self, passed_over: bool, context: &mut Context<'_>) -> bool {
        if passed_over {
            tracing::debug!(domain = %self.domain, "server passed over, too many questions");
            add(&mut context.statistics.servers, 1);
        }
        !passed_over
    }
}

/// The servers that `records` name, in the order in which they are to be tried.
fn of_service(protocol: Protocol, records: Vec<Srv>, context: &mut Context<'_>) -> Vec<Server> {
    let came = records.len();
    let usable = |srv: &Srv| !srv.target.is_root() && srv.port != 0;
    let records: Vec<Srv> = records.into_iter().filter(usable).collect();
    let passed_over = came.saturating_sub(records.len());
    add(&mut context.statistics.records, passed_over as u64);
    let arranged = srv::arrange(records, context.config.order, context.random);
    let server = |srv: Srv| Server { protocol, host: srv.target, port: srv.port };
    arranged.into_iter().map(server).collect()
}

const fn add(counter: &mut u64, more: u64) {
    *counter = counter.saturating_add(more);
}
