//! What the tasks of an endpoint tell its driver.

use bytes::Bytes;
use offhook_sansio::{Datagram, Flow};
use offhook_sip::{DnsAnswer, QuestionId, Target};
use offhook_sip_message::ParseError;

use crate::streams::{Connection, Unestablished};

/// Something that came from outside.
pub(crate) enum Arrival {
    /// A datagram, or a whole message of a connection.
    Datagram(Datagram),
    /// A message of a connection whose end cannot be told, so that nothing after it can be read.
    Unframed { flow: Flow, head: Bytes, error: ParseError },
    /// A peer has connected. Its messages follow.
    Accepted { flow: Flow, connection: Connection },
    /// A connection that the driver asked for has come up, and its messages follow; or has not.
    Connected { target: Box<Target>, result: Result<(Flow, Connection), Unestablished> },
    /// A connection is gone, and nothing more comes of it.
    Closed { flow: Flow },
    /// DNS has answered.
    Resolved { question: QuestionId, answer: DnsAnswer },
}
