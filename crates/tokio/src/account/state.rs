//! How a registration stands.

use std::{fmt, sync::Arc, time::Instant};

use offhook_sip::Registered;
use offhook_sip_message::StatusCode;

/// How the registration of an account stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistrationState {
    /// The account has no registrar.
    Unneeded,
    /// The registrar is being looked for, or has not answered the first time.
    Registering,
    /// The registrar has granted the contact. Told again with each refresh.
    Registered(Arc<Registered>),
    /// The registrar cannot be reached, or refuses.
    Failed {
        /// What has failed.
        fault: RegistrationFault,
        /// When it is tried again; `None`: not before [`Account::refresh`](crate::Account::refresh).
        next_try: Option<Instant>,
        /// Whether what was granted before has not expired.
        stands: bool,
    },
    /// The registration was removed.
    Unregistered {
        /// What the registrar has answered; `None` if there was nothing to remove.
        status: Option<StatusCode>,
    },
}

impl RegistrationState {
    /// Whether the registrar has the contact, and has said so last.
    pub const fn is_registered(&self) -> bool {
        matches!(self, Self::Registered(_))
    }
}

/// Why an account is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationFault {
    /// The registrar has answered with this status. 401 and 407: there is no login for its realm, or
    /// it was refused. 408: it has not answered; 503 stands for a transport that failed, too.
    Refused(StatusCode),
    /// No server of the registrar can be reached: why the last one cannot.
    Unreachable(String),
    /// The connection is lost.
    ConnectionLost,
    /// What was granted has expired.
    Expired,
    /// It was removed by this side.
    Removed,
    /// The REGISTER cannot be made: why.
    Other(String),
}

impl fmt::Display for RegistrationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => {
                write!(f, "the registrar says {} {}", status.as_u16(), status.reason())
            }
            Self::Unreachable(why) => write!(f, "no registrar can be reached: {why}"),
            Self::ConnectionLost => f.write_str("the connection to the registrar is lost"),
            Self::Expired => f.write_str("the registration has expired"),
            Self::Removed => f.write_str("the registration was removed"),
            Self::Other(why) => f.write_str(why),
        }
    }
}
