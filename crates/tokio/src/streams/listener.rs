//! Taking the connections of peers.

use std::{sync::Arc, time::Duration};

use offhook_sansio::{Flow, Protocol};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::{
    Shared, Side, connection,
    establish::{Unestablished, serve},
    statistics::count,
};
use crate::arrival::Arrival;

/// Takes connections until its task is aborted.
pub(crate) async fn listen(
    listener: TcpListener,
    protocol: Protocol,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => admit(stream, protocol, tls.clone(), &shared),
            // Out of file descriptors, as a rule; others may be closed meanwhile.
            Err(error) => {
                debug!(%protocol, %error, "accept error");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// Gives a connection a task, if there is room for one. Its handshake counts already: who starts
/// many and ends none must not fill the memory.
fn admit(stream: TcpStream, protocol: Protocol, tls: Option<TlsAcceptor>, shared: &Arc<Shared>) {
    let Ok(place) = Arc::clone(&shared.accepted).try_acquire_owned() else {
        count(&shared.counters.refused);
        debug!(%protocol, "connection refused: too many are open");
        return;
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Err(error) = serve_one(stream, protocol, tls, place, &shared).await {
            count(&shared.counters.failed_handshakes);
            debug!(%protocol, %error, "handshake failed");
        }
    });
}

async fn serve_one(
    stream: TcpStream,
    protocol: Protocol,
    tls: Option<TlsAcceptor>,
    place: OwnedSemaphorePermit,
    shared: &Arc<Shared>,
) -> Result<(), Unestablished> {
    let flow = Flow { protocol, local: stream.local_addr()?, remote: stream.peer_addr()? };
    let handshake = serve(stream, protocol, tls.as_ref(), &shared.limits);
    let link = timeout(shared.settings.connect_time, handshake).await;
    let link = link.map_err(|_| Unestablished::TooSlow)??;
    let (connection, run) = connection::open(link, flow, Side::Accepted, place, shared);
    count(&shared.counters.accepted);
    if shared.arrivals.send(Arrival::Accepted { flow, connection }).await.is_ok() {
        run.await;
    }
    Ok(())
}

/// How long a listener rests after an error, so that a lasting one does not keep a core busy.
const AFTER_ERROR: Duration = Duration::from_millis(50);
