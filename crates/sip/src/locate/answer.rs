//! What DNS says to a question.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::{DnsName, RecordType};

/// The answer to one [`DnsQuestion`](super::DnsQuestion), after aliases have been followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The records of the name. What is not of the type asked for is passed over.
    Records(Vec<DnsRecord>),
    /// The name has no record of this type.
    NoRecords {
        /// How long that may be remembered (RFC 2308 §5); zero if it is not known.
        ttl: Duration,
    },
    /// There is no such name.
    NoSuchName {
        /// How long that may be remembered (RFC 2308 §5); zero if it is not known.
        ttl: Duration,
    },
    /// No server could tell. It is not remembered.
    Failed,
}

/// One record and how long it may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// How long the record may be kept.
    pub ttl: Duration,
    /// What it says.
    pub value: DnsValue,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsValue {
    /// NAPTR, RFC 3403 §4.
    Naptr(Naptr),
    /// SRV, RFC 2782.
    Srv(Srv),
    /// A or AAAA.
    Address(IpAddr),
}

/// A naming authority pointer (RFC 3403 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower ones are processed first, and rule out those above.
    pub order: u16,
    /// Among records of one order, lower ones are preferred.
    pub preference: u16,
    /// `s` if the replacement names SRV records; its case does not matter.
    pub flags: String,
    /// The service, such as `SIP+D2T`.
    pub services: String,
    /// Empty in records that are about SIP servers (RFC 3263 §4.1).
    pub regexp: String,
    /// The name to ask for next.
    pub replacement: DnsName,
}

/// The location of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower ones are tried first.
    pub priority: u16,
    /// The share of requests among those of one priority.
    pub weight: u16,
    /// The port of the service.
    pub port: u16,
    /// The host; the root says that there is no such service.
    pub target: DnsName,
}

/// What a lookup learned from a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Values of the type asked for, one or more.
    Found(Arc<[DnsValue]>),
    NoRecords,
    NoSuchName,
    Failed,
    TimedOut,
}

impl Outcome {
    /// Reads the answer to a question for `record_type`, of at most `room` records. Gives how long
    /// it may be kept too, and how many records were passed over.
    pub(super) fn read(
        answer: DnsAnswer,
        record_type: RecordType,
        room: usize,
    ) -> (Self, Duration, usize) {
        let records = match answer {
            DnsAnswer::Records(records) => records,
            DnsAnswer::NoRecords { ttl } => return (Self::NoRecords, ttl, 0),
            DnsAnswer::NoSuchName { ttl } => return (Self::NoSuchName, ttl, 0),
            DnsAnswer::Failed => return (Self::Failed, Duration::ZERO, 0),
        };
        let came = records.len();
        let fits = |record: &DnsRecord| record_type.is_of(&record.value);
        let records: Vec<_> = records.into_iter().filter(fits).take(room).collect();
        let passed_over = came.saturating_sub(records.len());
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        if records.is_empty() {
            return (Self::NoRecords, ttl, passed_over);
        }
        let values = records.into_iter().map(|record| record.value).collect();
        (Self::Found(values), ttl, passed_over)
    }

    /// The values, if there are any.
    pub(super) fn values(&self) -> &[DnsValue] {
        match self {
            Self::Found(values) => values,
            Self::NoRecords | Self::NoSuchName | Self::Failed | Self::TimedOut => &[],
        }
    }

    /// The SRV records among the values.
    pub(super) fn servers(&self) -> impl Iterator<Item = &Srv> {
        self.values().iter().filter_map(|value| match value {
            DnsValue::Srv(srv) => Some(srv),
            DnsValue::Naptr(_) | DnsValue::Address(_) => None,
        })
    }

    /// The NAPTR records among the values.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &Naptr> {
        self.values().iter().filter_map(|value| match value {
            DnsValue::Naptr(naptr) => Some(naptr),
            DnsValue::Srv(_) | DnsValue::Address(_) => None,
        })
    }

    /// The addresses among the values.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.values().iter().filter_map(|value| match value {
            DnsValue::Address(address) => Some(*address),
            DnsValue::Naptr(_) | DnsValue::Srv(_) => None,
        })
    }
}
