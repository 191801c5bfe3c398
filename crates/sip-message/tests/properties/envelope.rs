//! The envelope tells what the typed header fields tell.

use offhook_sip_message::*;
use proptest::prelude::*;

use crate::generate::message;

/// Where all typed header fields can be read, the envelope tells the same.
pub(crate) fn agrees(message: &Message) -> bool {
    let headers = message.headers();
    let typed = || {
        let via = headers.header::<Via>().ok()??;
        let from = headers.header::<From>().ok()??;
        let to = headers.header::<To>().ok()??;
        let call_id = headers.header::<CallId>().ok()??;
        let cseq = headers.header::<CSeq>().ok()??;
        let route = headers.header::<Route>().ok()?;
        let hops = headers.header::<MaxForwards>().ok()?;
        Some((via, from, to, call_id, cseq, route, hops))
    };
    let Some((via, from, to, call_id, cseq, route, hops)) = typed() else { return false };
    let single = [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ];
    let mut single = single.into_iter().chain([HeaderName::MAX_FORWARDS]);
    let envelope = match message.envelope() {
        Ok(envelope) => envelope,
        Err(error) => {
            let is_twice = single.any(|name| headers.count(name) > 1);
            assert!(is_twice, "{}", error.caret(message.as_bytes()));
            return false;
        }
    };
    assert_eq!((envelope.transport, envelope.port), (&*via.transport, via.port));
    assert_eq!(envelope.sent_by.parse::<Host>().unwrap(), via.host);
    assert_eq!(envelope.branch, via.branch());
    assert_eq!((envelope.from_tag, envelope.to_tag), (from.tag(), to.tag()));
    assert_eq!((envelope.call_id, envelope.cseq), (call_id.as_str(), cseq.number));
    assert_eq!(envelope.cseq_method, cseq.method.as_str());
    assert_eq!(envelope.max_forwards, hops.map(|MaxForwards(hops)| hops));
    let uri = envelope.route.map(|route| route.parse().unwrap());
    assert_eq!(uri.as_ref(), route.as_ref().map(Route::uri));
    true
}

#[test]
fn on_every_vector() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (mut messages, mut folders) = (0, vec![data]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes: bytes::Bytes = std::fs::read(&path).unwrap().into();
            for options in [ParseOptions::strict(), ParseOptions::default()] {
                let message = Message::parse_with(bytes.clone(), &options);
                messages += usize::from(message.is_ok_and(|message| agrees(&message)));
            }
        }
    }
    assert!(messages > 2 * 533, "{messages} messages have an envelope");
}

proptest! {
    #[test]
    fn on_generated_messages((_, text) in message()) {
        for options in [ParseOptions::strict(), ParseOptions::default()] {
            let message = Message::parse_with(text.clone().into(), &options).unwrap();
            prop_assert!(agrees(&message), "{}", text);
        }
    }

    #[test]
    fn on_lists_with_nothing_between_commas(
        before in "(,|, ?){0,2}", behind in "( ?,){0,2}", second in "(Route: ?<sip:b>\r\n)?",
    ) {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: {before}SIP/2.0/UDP h;branch=a{behind}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: sip:c@d\r\nCall-ID: x\r\nCSeq: 1 ACK\r\nRoute: {before}<sip:a;lr>{behind}\r\n{second}\r\n"
        );
        agrees(&Message::parse(text.into()).unwrap());
    }
}
