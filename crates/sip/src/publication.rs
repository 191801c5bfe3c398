//! Publications: telling a server the state of a user, such as presence (RFC 3903).

mod event;
pub use event::PublicationEvent;
mod publishing;
pub(crate) use publishing::Publishing;
mod wanted;
pub use wanted::Publication;

use offhook_sansio::Key;

/// Names one publication of a [`UserAgent`](crate::UserAgent), until
/// [`PublicationEvent::Withdrawn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId(pub(crate) Key<Publishing>);
