//! Requests outside of calls: what handles send, and the handle of what others send.

use bytes::Bytes;
use offhook_sip::{Body, IncomingId};
use offhook_sip_message::{
    ContentType, Method, NameAddr, StatusCode, Text, ValidRequest, ValidResponse,
};
use tokio::sync::{mpsc, oneshot};

use crate::{AccountId, Error, command::Command, driver::Asking, uri};

/// Who sends a request.
pub(crate) struct Asker<'a> {
    pub(crate) from: &'a NameAddr,
    pub(crate) account: Option<AccountId>,
    pub(crate) commands: &'a mpsc::UnboundedSender<Command>,
}

impl Asker<'_> {
    pub(crate) async fn message(
        &self,
        to: &str,
        content_type: &str,
        content: Bytes,
    ) -> Result<(), Error> {
        let body = Body { content_type: Text::from(content_type), content };
        let response = self.ask(Method::MESSAGE, to, Some(body)).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Error::Refused { status }),
        }
    }

    pub(crate) async fn options(&self, to: &str) -> Result<ValidResponse, Error> {
        self.ask(Method::OPTIONS, to, None).await
    }

    async fn ask(
        &self,
        method: Method,
        to: &str,
        body: Option<Body>,
    ) -> Result<ValidResponse, Error> {
        let (reply, answer) = oneshot::channel();
        let (from, account) = (self.from.clone(), self.account);
        let asking = Asking::new(method, uri(to)?, from, account, body, reply);
        self.commands.send(Command::Ask(Box::new(asking))).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// A request of another, outside of calls, such as a MESSAGE: taken with
/// [`Endpoint::incoming_request`](crate::Endpoint::incoming_request).
///
/// It is answered once. Dropped without an answer it is refused (480).
#[derive(Debug)]
pub struct IncomingRequest {
    incoming: IncomingId,
    request: Box<ValidRequest>,
    account: Option<AccountId>,
    /// `None` once it is answered.
    commands: Option<mpsc::UnboundedSender<Command>>,
}

impl IncomingRequest {
    pub(crate) const fn new(
        incoming: IncomingId,
        request: Box<ValidRequest>,
        account: Option<AccountId>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        Self { incoming, request, account, commands: Some(commands) }
    }

    /// What is asked.
    pub fn method(&self) -> Method {
        self.request.method()
    }

    /// Who asks.
    pub fn from(&self) -> &NameAddr {
        &self.request.from().address
    }

    /// Who is asked.
    pub fn to(&self) -> &NameAddr {
        &self.request.to().address
    }

    /// The account whose registered contact is asked.
    pub const fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// The type of the body, if it has one that can be read.
    pub fn content_type(&self) -> Option<ContentType> {
        self.request.header::<ContentType>().ok().flatten()
    }

    /// The body.
    pub fn body(&self) -> Bytes {
        self.request.body()
    }

    /// The body as text, if it is `text/plain` in UTF-8.
    pub fn text(&self) -> Option<String> {
        self.content_type().filter(|kind| kind.is(TEXT))?;
        String::from_utf8(self.body().to_vec()).ok()
    }

    /// The whole request.
    pub fn request(&self) -> &ValidRequest {
        &self.request
    }

    /// Takes it: 200.
    ///
    /// # Errors
    ///
    /// If it has waited too long for an answer (RFC 4320 §4.2), or the endpoint is closed.
    pub async fn accept(self) -> Result<(), Error> {
        self.respond(StatusCode::OK, None).await
    }

    /// Refuses it.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept), and if the status is none from 200 to 699.
    pub async fn reject(self, status: StatusCode) -> Result<(), Error> {
        self.respond(status, None).await
    }

    /// Answers with a status and maybe a body, its type before it.
    ///
    /// # Errors
    ///
    /// As for [`reject`](Self::reject).
    pub async fn respond(
        mut self,
        status: StatusCode,
        body: Option<(&str, Bytes)>,
    ) -> Result<(), Error> {
        let Some(commands) = self.commands.take() else { return Err(Error::Closed) };
        let body = body.map(|(content_type, content)| Body {
            content_type: Text::from(content_type),
            content,
        });
        let (incoming, (reply, answer)) = (self.incoming, oneshot::channel());
        let command = Command::Respond { incoming, status, body, reply };
        commands.send(command).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Lets go of it: somebody else answers.
    pub(crate) fn forget(mut self) {
        self.commands = None;
    }
}

impl Drop for IncomingRequest {
    fn drop(&mut self) {
        if let Some(commands) = self.commands.take() {
            // A closed driver answers nothing any more.
            let _ = commands.send(Command::Ignore { incoming: self.incoming });
        }
    }
}

/// The type of plain text (RFC 3428 §4).
pub(crate) const TEXT: &str = "text/plain";
