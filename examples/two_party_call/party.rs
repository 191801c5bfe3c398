//! One of the two: an endpoint, what it says, and what it heard.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use offhook::{
    Call, Ended, Endpoint, Recorder,
    audio::{Samples, WavSource},
    core::CallStatistics,
};

use crate::{
    Error,
    relay::{Inside, Relay},
};

/// What both parties share.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    /// How long each speaks at most.
    pub(crate) limit: Option<Duration>,
    /// What stands between them, if anything.
    pub(crate) relay: Option<Relay>,
}

/// A party to the call.
pub(crate) struct Party {
    pub(crate) name: &'static str,
    pub(crate) endpoint: Endpoint,
    /// Where the other party reaches it.
    address: SocketAddr,
    recorder: Recorder,
    pub(crate) said: Vec<i16>,
    /// When it began to speak and to listen, since the start of the recording.
    pub(crate) said_from: Duration,
    pub(crate) heard_from: Duration,
    pub(crate) heard_in: PathBuf,
    pub(crate) statistics: CallStatistics,
}

impl Party {
    /// Reads what the party will say, and opens its endpoint.
    pub(crate) async fn start(
        name: &'static str,
        wav: &Path,
        port: u16,
        stage: &mut Stage,
    ) -> Result<Self, Error> {
        let mut said = WavSource::open(wav, SAMPLE_RATE)?.read_to_end()?;
        if let Some(limit) = stage.limit {
            said.truncate((limit.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize);
        }
        if said.len() < FRAME {
            return Err(format!("{}: there is nothing to say in it", wav.display()).into());
        }
        let identity = format!("sip:{}@127.0.0.1", name.to_lowercase());
        let mut builder =
            Endpoint::builder(&identity).display_name(name).record(stage.recorder.party(name));
        let mut local: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        if let Some(relay) = &mut stage.relay {
            let inside = Inside::pick(port)?;
            local = inside.sip();
            builder = relay.shield(&inside, builder).await?;
        }
        let endpoint = builder.bind(&local.to_string()).await?;
        let local = endpoint.local_address();
        let address = stage.relay.as_ref().map_or(Ok(local), |relay| relay.outside(local))?;
        Ok(Self {
            name,
            endpoint,
            address,
            recorder: stage.recorder.clone(),
            said,
            said_from: Duration::ZERO,
            heard_from: Duration::ZERO,
            heard_in: PathBuf::new(),
            statistics: CallStatistics::default(),
        })
    }

    /// What to call it by.
    pub(crate) fn uri(&self) -> String {
        format!("sip:{}@{}", self.name.to_lowercase(), self.address)
    }

    /// How long it speaks.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs_f64(self.said.len() as f64 / f64::from(SAMPLE_RATE))
    }

    /// Records what it hears.
    pub(crate) async fn listen(&mut self, call: &Call, folder: &Path) -> Result<(), Error> {
        self.heard_in = folder.join(format!("{}-heard.wav", self.name.to_lowercase()));
        call.record_wav(&self.heard_in).await?;
        self.heard_from = self.recorder.elapsed();
        Ok(())
    }

    /// Says what it has to say.
    pub(crate) async fn speak(&mut self, call: &Call) -> Result<(), Error> {
        self.said_from = self.recorder.elapsed();
        call.play(Samples::new(SAMPLE_RATE, self.said.clone())).await?;
        Ok(())
    }

    /// Keeps the call's last figures.
    pub(crate) fn note(&mut self, ended: &Ended) {
        self.statistics = (*ended.statistics).clone();
    }
}

/// The sample rate of G.711.
pub(crate) const SAMPLE_RATE: u32 = 8000;
/// Samples in a frame of 20 ms.
pub(crate) const FRAME: usize = 160;
