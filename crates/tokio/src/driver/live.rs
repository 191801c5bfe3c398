//! What the driver holds of a call besides the core.

use std::time::Instant;

use bytes::Bytes;
use offhook_core::{CallId, MediaSockets};
use offhook_media::LegStatistics;
use offhook_sansio::Flow;
use offhook_sip::{InfoId, ReferralId};
use offhook_sip_message::StatusCode;
use offhook_trace::Figures;
use tokio::sync::{broadcast, watch};

use super::{Driver, placing::Attempt};
use crate::{AccountId, IncomingInfo, call::Status, command::Reply, devices::Devices};

/// One call.
pub(super) struct Live {
    /// What its handle is told, and the id that the handle knows it by.
    pub(super) status: Option<watch::Sender<Status>>,
    pub(super) handle: Option<CallId>,
    /// For an INVITE that nothing has come back for: where else it may go.
    pub(super) attempt: Option<Attempt>,
    /// Where its signalling goes: that says which address its media is on.
    pub(super) flow: Option<Flow>,
    /// Whom it is for, or from.
    pub(super) account: Option<AccountId>,
    /// Whether its target is a `sips` one: no redirect may make it less secure.
    pub(super) secure: bool,
    pub(super) sockets: Option<MediaSockets>,
    pub(super) devices: Option<Devices>,
    /// The REFER that it was placed for: who has asked is told how it goes.
    pub(super) referral: Option<ReferralId>,
    /// Who waits for the answer to an INFO, and whom those of the far side are told.
    pub(super) telling: Vec<(InfoId, Reply<StatusCode>)>,
    pub(super) infos: Option<broadcast::Sender<IncomingInfo>>,
    /// Who waits for the peer to agree to a change of the session.
    pub(super) changing: Option<Reply<()>>,
    /// The same for a call whose media is elsewhere, and what the peer has described since.
    pub(super) modifying: Option<Reply<Option<Bytes>>>,
    pub(super) described: Option<Bytes>,
    /// The figures that were written down last.
    pub(super) figures: LegStatistics,
}

impl Live {
    pub(super) fn new(flow: Option<Flow>, sockets: Option<MediaSockets>) -> Self {
        Self {
            status: None,
            handle: None,
            attempt: None,
            flow,
            account: None,
            secure: false,
            sockets,
            devices: None,
            changing: None,
            referral: None,
            telling: Vec::new(),
            infos: None,
            modifying: None,
            described: None,
            figures: LegStatistics::default(),
        }
    }

    pub(super) fn tell(&self, news: impl FnOnce(&mut Status)) {
        if let Some(status) = &self.status {
            status.send_modify(news);
        }
    }
}

impl Driver {
    /// Gives devices to a call whose media has just been agreed.
    pub(super) fn start_devices(&mut self, call: CallId) {
        let Some(live) = self.calls.get_mut(&call).filter(|live| live.devices.is_none()) else {
            return;
        };
        let Some(leg) = self.core.leg(call) else { return };
        let rate = leg.sample_rate();
        let devices = Devices::new(Instant::now(), rate, leg.frame(), leg.frame_time());
        self.frames.set(call, Some(devices.next()));
        live.devices = Some(devices);
        live.tell(|status| status.sample_rate = Some(rate));
    }

    /// Speaks and hears what is due: at most one frame a call, so that what arrived meanwhile is
    /// read first.
    pub(super) fn tick_devices(&mut self, now: Instant) {
        let due: Vec<CallId> = std::iter::from_fn(|| self.frames.expired(now)).collect();
        for call in due {
            let devices = self.calls.get_mut(&call).and_then(|live| live.devices.as_mut());
            if let Some(devices) = devices {
                devices.tick(now, call, &mut self.core);
                self.frames.set(call, Some(devices.next()));
            }
        }
    }

    /// Writes down how the calls do, if somebody reads it.
    pub(super) fn write_figures(&mut self, now: Instant) {
        let Some(tap) = &self.tap else { return };
        for (call, live) in &mut self.calls {
            let statistics = self.core.call_statistics(now, *call);
            if let Some(media) = statistics.and_then(|statistics| statistics.media) {
                // While nothing comes there is nothing to rate.
                if media.rtp.packets_expected > live.figures.rtp.packets_expected {
                    tap.figures(now, figures(&media, &live.figures));
                }
                live.figures = media;
            }
        }
    }
}

/// The figures of the time since the ones before.
fn figures(media: &LegStatistics, earlier: &LegStatistics) -> Figures {
    let interval = media.since(earlier);
    Figures {
        jitter_ms: media.rtp.jitter,
        loss_percent: 100.0 * interval.loss,
        mos: interval.mos,
        round_trip_ms: media.rtp.round_trip.map(|time| time.as_secs_f64() * 1000.0),
    }
}
