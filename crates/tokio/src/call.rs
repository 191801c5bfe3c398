//! The handle of one call.

use std::{
    fmt,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use bytes::Bytes;
use offhook_audio::{Sink, Source, WavSink, WavSource};
use offhook_core::{CallId, CallStatistics, Ending, Hold};
use offhook_sip_message::{AnswerMode, NameAddr, PrivAnswerMode, Reason, StatusCode};
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};

use crate::{
    AccountId, Audio, Error, IncomingInfo,
    command::{Change, Command, Reply, Verb},
    elsewhere::Offered,
};

/// A call: placed with [`Endpoint::call`](crate::Endpoint::call) or taken with
/// [`Endpoint::incoming`](crate::Endpoint::incoming).
///
/// Clones are handles of the same call. Dropping the last one ends the call as its state asks:
/// with CANCEL, BYE or a refusal (480).
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: CallId,
    from: NameAddr,
    to: NameAddr,
    account: Option<AccountId>,
    /// What the INVITE of an incoming call has said.
    pub(crate) told: Told,
    /// The number of the last offer that was given out.
    pub(crate) offers_seen: AtomicU64,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
}

/// What is known of a call from its beginning, besides its ends.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The description in the INVITE, for who answers with one.
    pub(crate) offer: Option<Bytes>,
    /// The call whose place it takes.
    pub(crate) replaces: Option<CallId>,
    /// The call that it wants to take part in.
    pub(crate) joins: Option<CallId>,
    pub(crate) asserted: Vec<NameAddr>,
    pub(crate) answer_mode: Option<AnswerMode>,
    pub(crate) priv_answer_mode: Option<PrivAnswerMode>,
    /// What the far side tells by INFO, if that is taken.
    pub(crate) infos: Option<Mutex<broadcast::Receiver<IncomingInfo>>>,
}

/// What the driver tells of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) progress: Option<StatusCode>,
    pub(crate) answered: bool,
    pub(crate) established: bool,
    /// The sample rate of its media, once there is any.
    pub(crate) sample_rate: Option<u32>,
    pub(crate) hold: Hold,
    /// The last description of the peer, if its media is elsewhere.
    pub(crate) description: Option<Bytes>,
    /// How many there were.
    pub(crate) descriptions: u64,
    /// The offer of the peer that waits.
    pub(crate) offered: Option<Offered>,
    pub(crate) ended: Option<Ended>,
}

impl Call {
    pub(crate) fn new(
        id: CallId,
        from: NameAddr,
        to: NameAddr,
        account: Option<AccountId>,
        status: watch::Receiver<Status>,
        commands: mpsc::UnboundedSender<Command>,
        told: Told,
    ) -> Self {
        let offers_seen = AtomicU64::new(0);
        let shared = Shared { id, from, to, account, told, offers_seen, status, commands };
        Self { shared: Arc::new(shared) }
    }

    /// Who calls.
    pub fn from(&self) -> &NameAddr {
        &self.shared.from
    }

    /// Who is called.
    pub fn to(&self) -> &NameAddr {
        &self.shared.to
    }

    /// The account it was placed from, or whose registered contact is called.
    pub fn account(&self) -> Option<AccountId> {
        self.shared.account
    }

    /// Who calls, as a trusted network vouches for it (RFC 3325): one SIP URI, one tel URI or both.
    /// Empty unless [`Builder::trusted`](crate::Builder::trusted) names the server that the call has
    /// come from.
    pub fn asserted_identity(&self) -> &[NameAddr] {
        &self.shared.told.asserted
    }

    /// Who or what is to answer, as the caller wishes it (RFC 5373), if
    /// [`Builder::answer_modes`](crate::Builder::answer_modes) is set.
    pub fn answer_mode(&self) -> Option<&AnswerMode> {
        self.shared.told.answer_mode.as_ref()
    }

    /// The same, whatever this side prefers: only for callers who have a right to it.
    pub fn priv_answer_mode(&self) -> Option<&PrivAnswerMode> {
        self.shared.told.priv_answer_mode.as_ref()
    }

    /// Waits for the first sign of life of the far side: 180 when it rings.
    ///
    /// A call that is answered at once gives 200, and so does an incoming one when its caller has
    /// acknowledged our answer.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends without one.
    pub async fn progress(&self) -> Result<StatusCode, Error> {
        self.wait(|status| match status.progress {
            Some(progress) => Some(progress),
            None => (status.answered || status.established).then_some(StatusCode::OK),
        })
        .await
    }

    /// Waits until the far side has answered; for an incoming call, until the caller has
    /// acknowledged our answer.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends instead: busy, refused, timed out.
    pub async fn answered(&self) -> Result<(), Error> {
        self.wait(|status| (status.answered || status.established).then_some(())).await
    }

    /// Waits until the call is over.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint goes away before that.
    pub async fn ended(&self) -> Result<Ended, Error> {
        let mut status = self.shared.status.clone();
        let status = status.wait_for(|status| status.ended.is_some()).await;
        status.ok().and_then(|status| status.ended.clone()).ok_or(Error::Closed)
    }

    /// Lets an incoming call ring: tells the caller 180.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer.
    pub async fn ring(&self) -> Result<(), Error> {
        self.verb(Verb::Ring).await
    }

    /// Lets an incoming call hear sound before it is answered, such as a tone or an announcement: opens
    /// its media sockets and answers its offer in a 183. A caller finds such sound by playing, recording
    /// or [`audio`](Self::audio), all of which wait for the first media.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, has made no offer and takes no reliable provisional
    /// responses, or no media ports are free.
    pub async fn early_media(&self) -> Result<(), Error> {
        self.verb(Verb::EarlyMedia).await
    }

    /// Takes an incoming call: opens its media sockets, unless it has early media, and answers 200.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, or no media ports are free.
    pub async fn answer(&self) -> Result<(), Error> {
        self.verb(Verb::Answer).await
    }

    /// Refuses an incoming call, for example with [`StatusCode::BUSY_HERE`].
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer.
    pub async fn reject(&self, status: StatusCode) -> Result<(), Error> {
        self.verb(Verb::Reject(status, None)).await
    }

    /// As [`reject`](Self::reject), with words for people: in the reason phrase of a 400, in a
    /// `Warning` of any other status.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer.
    pub async fn reject_because(&self, status: StatusCode, why: &str) -> Result<(), Error> {
        self.verb(Verb::Reject(status, Some(why.to_owned()))).await
    }

    /// Puts the far side on hold, and waits until it agrees: it is not heard any more. It still hears
    /// what is played to it, such as music (RFC 3264 §8.4).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the far side refuses: the call goes on as it was. If the call has no
    /// media, or a change is under way.
    pub async fn hold(&self) -> Result<(), Error> {
        self.change(Change::Hold).await
    }

    /// As [`hold`](Self::hold), and the far side hears nothing either.
    ///
    /// # Errors
    ///
    /// As for [`hold`](Self::hold).
    pub async fn hold_silently(&self) -> Result<(), Error> {
        self.change(Change::HoldSilently).await
    }

    /// Goes on with a call that this side has put on hold.
    ///
    /// # Errors
    ///
    /// As for [`hold`](Self::hold).
    pub async fn resume(&self) -> Result<(), Error> {
        self.change(Change::Resume).await
    }

    /// Who holds the call.
    pub fn held(&self) -> Hold {
        self.shared.status.borrow().hold
    }

    /// Waits until who holds the call is other than `known`.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends before that.
    pub async fn held_other_than(&self, known: Hold) -> Result<Hold, Error> {
        self.wait(|status| (status.hold != known).then_some(status.hold)).await
    }

    /// Ends the call, in whatever state it is, and waits until the far side knows or cannot be
    /// told. A call that is over already gives its end again.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint goes away before that.
    pub async fn hang_up(&self) -> Result<Ended, Error> {
        self.leave(None).await
    }

    /// As [`hang_up`](Self::hang_up), and says why, if the call is answered or was placed here
    /// (RFC 3326).
    ///
    /// # Errors
    ///
    /// As for [`hang_up`](Self::hang_up).
    pub async fn hang_up_because(&self, reason: Reason) -> Result<Ended, Error> {
        self.leave(Some(reason)).await
    }

    async fn leave(&self, reason: Option<Reason>) -> Result<Ended, Error> {
        match self.verb(Verb::HangUp(reason)).await {
            Ok(()) | Err(Error::Ended(_) | Error::Core(_)) => self.ended().await,
            Err(error) => Err(error),
        }
    }

    /// Speaks a WAV file into the call, and returns when the far side has had time to hear its
    /// end. Waits for the call's media first.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or the call ends before the file does.
    pub async fn play_wav(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref().to_owned();
        let rate = self.sample_rate().await?;
        let opened = tokio::task::spawn_blocking(move || WavSource::open(path, rate)).await;
        self.play(opened.map_err(|_| Error::Closed)??).await
    }

    /// Speaks a source into the call until it ends, in place of the one before. Waits for the
    /// call's media first.
    ///
    /// The source is read by the endpoint's only task: it must not block.
    ///
    /// # Errors
    ///
    /// [`Error::SampleRate`] if the source has another sample rate than the call,
    /// [`Error::Replaced`] if another source takes its place, or if the call ends before it does.
    pub async fn play(&self, source: impl Source + 'static) -> Result<(), Error> {
        self.sample_rate().await?;
        let (id, source) = (self.shared.id, Box::new(source));
        let done = self.ask(|reply| Command::Play { call: id, source, reply }).await?;
        match done.await {
            Ok(()) => Ok(()),
            Err(_) if self.shared.status.has_changed().is_ok() => Err(Error::Replaced),
            Err(_) => Err(self.gone()),
        }
    }

    /// Writes what is heard from now on into a WAV file, complete when the call has ended. Waits
    /// for the call's media first.
    ///
    /// # Errors
    ///
    /// If the file cannot be created, or the call ends before it has media.
    pub async fn record_wav(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref().to_owned();
        let rate = self.sample_rate().await?;
        let created = tokio::task::spawn_blocking(move || WavSink::create(path, rate)).await;
        self.record(created.map_err(|_| Error::Closed)??).await
    }

    /// Gives what is heard from now on to a sink, in place of the one before. Waits for the call's
    /// media first.
    ///
    /// The sink is written by the endpoint's only task: it must not block.
    ///
    /// # Errors
    ///
    /// [`Error::SampleRate`] if the sink has another sample rate than the call, or if the call ends
    /// before it has media.
    pub async fn record(&self, sink: impl Sink + 'static) -> Result<(), Error> {
        self.sample_rate().await?;
        let (id, sink) = (self.shared.id, Box::new(sink));
        self.ask(|reply| Command::Record { call: id, sink, reply }).await
    }

    /// The call's sound as frames, in place of the devices before: for voice agents, bridges and
    /// the like. Waits for the call's media first.
    ///
    /// # Errors
    ///
    /// If the call ends before it has media.
    pub async fn audio(&self) -> Result<Audio, Error> {
        let (audio, source, sink) = Audio::channel(self.sample_rate().await?)?;
        self.record(sink).await?;
        let (id, source) = (self.shared.id, Box::new(source));
        // Nobody waits for the end of a channel: who holds its other end knows it.
        self.ask(|reply| Command::Play { call: id, source, reply }).await?;
        Ok(audio)
    }

    /// The sample rate of the call's sound in Hz. Waits until media is agreed.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends without media.
    pub async fn sample_rate(&self) -> Result<u32, Error> {
        self.wait(|status| status.sample_rate).await
    }

    /// The call's figures at this moment, or its last ones if it is over.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint has gone away.
    pub async fn stats(&self) -> Result<CallStatistics, Error> {
        let id = self.shared.id;
        match self.ask(|reply| Command::Statistics { call: id, reply }).await {
            Err(Error::Ended(ended)) => Ok((*ended.statistics).clone()),
            other => other,
        }
    }

    async fn verb(&self, verb: Verb) -> Result<(), Error> {
        let call = self.shared.id;
        self.ask(|reply| Command::Verb { call, verb, reply }).await
    }

    async fn change(&self, change: Change) -> Result<(), Error> {
        let call = self.shared.id;
        self.ask(|reply| Command::Change { call, change, reply }).await
    }

    /// Hands a command to the driver and waits for its reply.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Error> {
        if let Some(ended) = &self.shared.status.borrow().ended {
            return Err(Error::Ended(ended.clone()));
        }
        let (reply, answer) = oneshot::channel();
        self.shared.commands.send(command(reply)).map_err(|_| Error::Closed)?;
        match answer.await {
            Ok(Err(Error::Core(_))) if self.shared.status.borrow().ended.is_some() => {
                Err(self.gone())
            }
            Ok(result) => result,
            Err(_) => Err(self.gone()),
        }
    }

    /// Waits until `seen` finds what it looks for.
    pub(crate) async fn wait<T>(&self, seen: impl Fn(&Status) -> Option<T>) -> Result<T, Error> {
        let mut status = self.shared.status.clone();
        let found = status.wait_for(|status| seen(status).is_some() || status.ended.is_some());
        match found.await {
            Ok(status) => match seen(&status) {
                Some(found) => Ok(found),
                None => Err(status.ended.clone().map_or(Error::Closed, Error::Ended)),
            },
            Err(_) => Err(Error::Closed),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.shared.status.borrow().ended.is_some()
    }

    pub(crate) fn gone(&self) -> Error {
        self.shared.status.borrow().ended.clone().map_or(Error::Closed, Error::Ended)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A closed driver has ended its calls already.
        let _ = self.commands.send(Command::Abandon { call: self.id });
    }
}

/// How a call ended, and its last figures.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Why it ended.
    pub ending: Ending,
    /// Why, as the far side says (RFC 3326).
    pub reasons: Vec<Reason>,
    /// Its figures at the end.
    pub statistics: Arc<CallStatistics>,
}

impl Ended {
    /// The status of a failed call: 486, 408, 503 … `None` for one that was hung up.
    pub fn status(&self) -> Option<StatusCode> {
        self.ending.status()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ending.fmt(f)
    }
}
