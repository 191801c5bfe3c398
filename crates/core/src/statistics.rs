//! Figures of calls and of the endpoint.

use std::fmt;

use offhook_media::LegStatistics;

/// The figures of one call.
#[derive(Clone, Debug, Default)]
pub struct CallStatistics {
    /// The media of the call; `None` if there never was any.
    pub media: Option<LegStatistics>,
}

/// What the endpoint itself counts. The SIP layer and each leg count their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Datagrams of protocols that are not spoken here.
    pub unknown_protocol: u64,
    /// Media on a socket that no call uses.
    pub stray_media: u64,
    /// Calls refused because their session description cannot be answered.
    pub refused_offers: u64,
}

/// One line for people.
impl fmt::Display for CallStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.media {
            Some(media) => media.fmt(f),
            None => f.write_str("no media"),
        }
    }
}
