//! One request of ours, sent again as often as it is challenged (RFC 3261 §8.1.3.5, §22.2, §22.3).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{CSeq, Request, ValidRequest, ValidResponse};
use tracing::debug;

use crate::{
    Authenticator, Error, Login, Role,
    transaction::{TransactionId, TransactionLayer},
};

/// A request under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    transaction: TransactionId,
    request: ValidRequest,
    flow: Flow,
}

impl Exchange {
    /// Sends `request` on `flow`, with credentials for all who have asked for them.
    pub(crate) fn start(
        layer: &mut TransactionLayer,
        now: Instant,
        request: Request,
        flow: Flow,
        authenticator: Option<&mut Authenticator>,
    ) -> Result<Self, Error> {
        // Strangers who have filled the table keep nobody from asking.
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        let mut request = layer.valid(request)?;
        if let Some(authenticator) = authenticator {
            let built = authenticator.authorize(&request).build();
            let built = built.map_err(|error| Error::Unbuildable(error.to_string()))?;
            request = layer.valid(built)?;
        }
        let transaction = layer.request(now, &request, flow)?;
        Ok(Self { transaction, request, flow })
    }

    /// Takes a final response. True: it was a challenge, and the request was sent again.
    pub(crate) fn challenged(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        response: &ValidResponse,
        authenticator: Option<&mut Authenticator>,
    ) -> bool {
        let number = self.cseq().checked_add(1);
        self.challenged_in_dialog(layer, now, response, authenticator, number)
    }

    /// The same, where the dialog has `number` for the next request: others may count in it too.
    pub(crate) fn challenged_in_dialog(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        response: &ValidResponse,
        authenticator: Option<&mut Authenticator>,
        number: Option<u32>,
    ) -> bool {
        let Some(authenticator) = authenticator else { return false };
        let Some(number) = number else { return false };
        let next = again(layer, authenticator, &self.request, response, self.flow, number);
        let Some(request) = next else { return false };
        let sent = layer.request(now, &request, self.flow);
        let Some(transaction) = layer.built(sent) else { return false };
        (self.transaction, self.request) = (transaction, request);
        true
    }

    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    pub(crate) fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// The number of the request that was sent last.
    pub(crate) fn cseq(&self) -> u32 {
        self.request.cseq().number
    }
}

/// What answers challenges with `logins`; `None` if there are none.
pub(crate) fn authenticator(
    layer: &mut TransactionLayer,
    logins: Vec<Login>,
) -> Option<Box<Authenticator>> {
    (!logins.is_empty()).then(|| Box::new(Authenticator::new(layer.random.fork(), logins)))
}

/// The request that answers a challenge to `request`: with the CSeq `number` and a new branch, and the
/// same Call-ID, From and To (§8.1.3.5). `None` if it was no challenge, or one that cannot be
/// answered.
pub(crate) fn again(
    layer: &mut TransactionLayer,
    authenticator: &mut Authenticator,
    request: &ValidRequest,
    response: &ValidResponse,
    flow: Flow,
    number: u32,
) -> Option<ValidRequest> {
    if Role::ALL.iter().all(|role| role.status() != response.status()) {
        if let Err(error) = authenticator.accepted(request, response) {
            debug!(%flow, %error, "the server's proof is ignored");
        }
        return None;
    }
    let builder = match authenticator.challenged(request, response) {
        Ok(builder) => builder,
        Err(error) => {
            debug!(%flow, %error, "challenge not answered");
            return None;
        }
    };
    if layer.is_full(layer.config.max_calls) {
        return None;
    }
    let via = layer.new_via_of(&request.method(), flow);
    let via = layer.built(via)?;
    let cseq = CSeq { number, method: request.method() };
    let built = layer.built(builder.replace(&via).replace(&cseq).build())?;
    let valid = layer.valid(built);
    layer.built(valid)
}
