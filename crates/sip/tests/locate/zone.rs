//! A zone written as text, and a resolver by hand that answers from it.

use std::time::{Duration, Instant};

use offhook_sansio::{Protocol, Random};
use offhook_sip::{
    DnsAnswer, DnsName, DnsQuestion, DnsRecord, DnsValue, Failure, Families, LocateError, Locator,
    LocatorConfig, LocatorEvent, LookupId, Naptr, NextHop, RecordType, Srv, Target,
};

/// Records by name. A name that is neither here nor above one that is does not exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone(Vec<(DnsName, DnsValue)>);

impl Zone {
    /// Reads lines of `name type fields`; fields of NAPTR without the regular expression.
    pub(crate) fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self(lines.map(record).collect())
    }

    pub(crate) fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        let fits = |value: &DnsValue| match value {
            DnsValue::Naptr(_) => question.record_type == RecordType::Naptr,
            DnsValue::Srv(_) => question.record_type == RecordType::Srv,
            DnsValue::Address(ip) if ip.is_ipv4() => question.record_type == RecordType::A,
            DnsValue::Address(_) => question.record_type == RecordType::Aaaa,
        };
        let own = self.0.iter().filter(|(name, value)| *name == question.name && fits(value));
        let records: Vec<_> =
            own.map(|(_, value)| DnsRecord { ttl: TTL, value: value.clone() }).collect();
        let below = format!(".{}", question.name);
        let known = |(name, _): &(DnsName, DnsValue)| {
            *name == question.name || name.as_str().ends_with(&below)
        };
        match records.is_empty() {
            false => DnsAnswer::Records(records),
            true if self.0.iter().any(known) => DnsAnswer::NoRecords { ttl: TTL },
            true => DnsAnswer::NoSuchName { ttl: TTL },
        }
    }
}

fn record(line: &str) -> (DnsName, DnsValue) {
    let fields: Vec<_> = line.split_whitespace().collect();
    let number = |at: usize| fields[at].parse().unwrap();
    let value = match fields[1] {
        "NAPTR" => DnsValue::Naptr(Naptr {
            order: number(2),
            preference: number(3),
            flags: fields[4].to_owned(),
            services: fields[5].to_owned(),
            regexp: String::new(),
            replacement: fields[6].parse().unwrap(),
        }),
        "SRV" => DnsValue::Srv(Srv {
            priority: number(2),
            weight: number(3),
            port: number(4),
            target: fields[5].parse().unwrap(),
        }),
        _ => DnsValue::Address(fields[2].parse().unwrap()),
    };
    (fields[0].parse().unwrap(), value)
}

/// A locator, its zone and its clock.
pub(crate) struct Bench {
    pub(crate) now: Instant,
    pub(crate) locator: Locator,
    pub(crate) zone: Zone,
    /// The questions so far, as `TYPE name`.
    pub(crate) asked: Vec<String>,
}

impl Bench {
    pub(crate) fn new(protocols: &[Protocol], zone: &str) -> Self {
        let mut config = LocatorConfig::new(protocols);
        config.families = Families::V4ThenV6;
        Self::with(config, zone)
    }

    pub(crate) fn with(config: LocatorConfig, zone: &str) -> Self {
        let locator = Locator::new(config, Random::from_seed(3263));
        Self { now: Instant::now(), locator, zone: Zone::new(zone), asked: Vec::new() }
    }

    /// Answers all questions.
    pub(crate) fn resolve(&mut self) {
        while let Some(question) = self.locator.poll_question() {
            self.asked.push(format!("{} {}", question.record_type, question.name));
            let answer = self.zone.answer(&question);
            self.locator.answer(self.now, question.id, answer);
        }
    }

    pub(crate) fn start(&mut self, uri: &str) -> LookupId {
        let hop = NextHop::of_uri(&uri.parse().unwrap()).unwrap();
        self.locator.locate(self.now, &hop).unwrap()
    }

    /// The target to try now.
    pub(crate) fn target(&mut self) -> Result<Target, LocateError> {
        self.resolve();
        match self.locator.poll_event().expect("something came of it") {
            LocatorEvent::Try { target, .. } => Ok(target),
            LocatorEvent::Refused { error, .. } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// All targets of `hop` as `PROTOCOL address`, each of which fails without being remembered;
    /// and why there is none behind them.
    pub(crate) fn drain(&mut self, hop: &NextHop) -> (Vec<String>, LocateError) {
        let mut targets = Vec::new();
        let lookup = match self.locator.locate(self.now, hop) {
            Ok(lookup) => lookup,
            Err(error) => return (targets, error),
        };
        loop {
            match self.target() {
                Ok(target) => targets.push(format!("{} {}", target.protocol, target.address)),
                Err(error) => return (targets, error),
            }
            let failure = Failure::Unavailable { retry_after: None };
            self.locator.failed(self.now, lookup, failure).unwrap();
        }
    }

    /// All targets of `uri`.
    pub(crate) fn all(&mut self, uri: &str) -> Vec<String> {
        match self.drain(&NextHop::of_uri(&uri.parse().unwrap()).unwrap()) {
            (targets, LocateError::Exhausted { .. }) => targets,
            (targets, error) => panic!("{targets:?}, then {error}"),
        }
    }

    /// Why there is no target for `uri`.
    pub(crate) fn refusal(&mut self, uri: &str) -> LocateError {
        let hop = match NextHop::of_uri(&uri.parse().unwrap()) {
            Ok(hop) => hop,
            Err(error) => return error,
        };
        let (targets, error) = self.drain(&hop);
        assert_eq!(targets, [""; 0], "{uri}");
        error
    }
}

pub(crate) const TTL: Duration = Duration::from_secs(60);
