//! What a server notes in the topmost `Via` of a request it receives (RFC 3261 §18.2.1, RFC 3581 §4).

use std::{net::SocketAddr, ops::Range, sync::Arc};

use bytes::Bytes;

use super::{Head, RequestParts, ValidRequest};
use crate::{
    Header, Parameters, Profile, Request, Text, Via,
    parse::{Line, Span, write_number},
    uri::write_ip,
};

impl ValidRequest {
    /// The request as a server sees it that has received it from `source`: with `received` in its
    /// topmost `Via` if the `sent-by` there says something else, and with `received` and the port in
    /// `rport` if the sender asks for that. What the sender wrote there itself is overwritten: only
    /// the receiver knows where a request came from.
    ///
    /// What was checked stays checked.
    #[must_use]
    pub fn received_from(self, source: SocketAddr) -> Self {
        let via = self.via();
        let asks = via.has_rport();
        let is_told = asks || via.host.ip() != Some(source.ip());
        if !is_told && !via.parameters.contains("received") {
            return self;
        }
        let parameters = noted(&via.parameters, source, is_told);
        let request = match place(&self.0.request) {
            Some(place) => spliced(&self.0.request, place, &parameters),
            None => rewritten(&self.0.request, via, &parameters),
        };
        // What cannot be written is too large to be sent on; it is taken as it came.
        let Some(request) = request else { return self };
        let via = Via { parameters: Parameters::read(Text::from(parameters)), ..via.clone() };
        let (uri, max_forwards) = (self.0.uri.clone(), self.0.max_forwards);
        let head = Head { via, ..self.0.head.clone() };
        Self(Arc::new(RequestParts { request, uri, head, max_forwards }))
    }
}

/// The parameters with what the receiver knows.
fn noted(parameters: &Parameters, source: SocketAddr, is_told: bool) -> String {
    let mut text = String::with_capacity(ROOM);
    for (name, value) in parameters.iter() {
        if name.eq_ignore_ascii_case("received") {
            continue;
        }
        text.push(';');
        text.push_str(name);
        if name.eq_ignore_ascii_case("rport") {
            text.push('=');
            write_number(source.port(), &mut text);
        } else if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    if is_told {
        text.push_str(";received=");
        write_ip(source.ip(), &mut text);
    }
    text
}

/// Where the parameters of the topmost `Via` stand, and the row they stand in; `None` if the row
/// takes several lines or begins with a comma.
fn place(request: &Request) -> Option<(usize, Range<usize>)> {
    let headers = &request.headers;
    let row = headers.lines.iter().position(|line| headers.is(line, &Via::NAME))?;
    let line = headers.lines.get(row).filter(|line| !line.folded)?;
    let (raw, start) = headers.placed(line);
    let element = raw.get(..Via::element_length(raw, Profile::Tolerant))?;
    let first = memchr::memchr(b';', element).unwrap_or(element.len());
    let end = start.checked_add(element.len())?;
    (first > 0).then_some((row, start.checked_add(first)?..end))
}

/// The request with `new` in that place.
fn spliced(request: &Request, (row, old): (usize, Range<usize>), new: &str) -> Option<Request> {
    let bytes = &request.headers.bytes;
    let (before, behind) = (bytes.get(..old.start)?, bytes.get(old.end..)?);
    let whole = [before, new.as_bytes(), behind].concat();
    // The index holds offsets of 32 bits.
    let (end, old_end) = (u32::try_from(old.start.checked_add(new.len())?).ok()?, old.end);
    u32::try_from(whole.len()).ok()?;
    let moved = |at: u32| at.checked_sub(u32::try_from(old_end).ok()?)?.checked_add(end);
    let mut spliced = request.clone();
    for (index, line) in spliced.headers.lines.iter_mut().enumerate().skip(row) {
        let Line { name, value, .. } = line;
        let behind = index > row;
        let shift = |at: u32| if behind || at as usize >= old_end { moved(at) } else { Some(at) };
        *name = Span { start: shift(name.start)?, end: shift(name.end)? };
        *value = Span { start: shift(value.start)?, end: shift(value.end)? };
    }
    spliced.body = moved(u32::try_from(request.body).ok()?)? as usize;
    spliced.headers.bytes = Bytes::from(whole);
    Some(spliced)
}

/// The same by writing the message anew.
#[cold]
fn rewritten(request: &Request, via: &Via, parameters: &str) -> Option<Request> {
    let parameters = Parameters::read(Text::from(parameters));
    request.edit().replace_first(&Via { parameters, ..via.clone() }).build().ok()
}

/// Room for the parameters of most.
const ROOM: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HeaderName, Message, ParseOptions};

    fn received(via: &str, source: &str) -> String {
        let text = format!(
            "OPTIONS sip:h SIP/2.0\r\nMax-Forwards: 70\r\n{via}From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
Call-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
        );
        let Ok(Message::Request(request)) = Message::parse(Bytes::from(text)) else { panic!() };
        let request = ValidRequest::new(request, &ParseOptions::default()).unwrap();
        let request = request.received_from(source.parse().unwrap());
        let Ok(Message::Request(again)) = Message::parse(request.as_bytes().clone()) else {
            panic!()
        };
        let same = |name: HeaderName| {
            again.headers().get_raw(name.clone()) == request.headers().get_raw(name)
        };
        assert!(request.headers().iter().all(|(name, _)| same(name)), "the index is right");
        assert_eq!(request.headers().get_raw(HeaderName::CSEQ), Some(&b"1 OPTIONS"[..]));
        assert_eq!((&request.body()[..], &again.body()[..]), (&b"body"[..], &b"body"[..]));
        let read = again.header::<Via>().unwrap().unwrap();
        assert_eq!(*request.via(), read);
        String::from_utf8(request.headers().get_raw(HeaderName::VIA).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_source_is_noted_where_it_is_asked_for_or_not_what_the_sender_says() {
        for (via, source, noted) in [
            ("192.0.2.1;branch=z9", "192.0.2.1:5060", "192.0.2.1;branch=z9"),
            ("192.0.2.1;branch=z9", "192.0.2.2:5060", "192.0.2.1;branch=z9;received=192.0.2.2"),
            ("h:5070", "192.0.2.2:5060", "h:5070;received=192.0.2.2"),
            (
                "192.0.2.1;rport;branch=z9",
                "192.0.2.1:4711",
                "192.0.2.1;rport=4711;branch=z9;received=192.0.2.1",
            ),
            (
                "192.0.2.1;RPort=1;received=9.9.9.9;branch=z9",
                "[2001:db8::1]:4711",
                "192.0.2.1;RPort=4711;branch=z9;received=2001:db8::1",
            ),
            ("192.0.2.1;received=9.9.9.9", "192.0.2.1:5060", "192.0.2.1"),
        ] {
            let row = format!("Via: SIP/2.0/UDP {via}\r\n");
            assert_eq!(received(&row, source), format!("SIP/2.0/UDP {noted}"), "{via}");
        }
    }

    #[test]
    fn only_the_topmost_of_several_is_touched_however_they_stand() {
        let next = "SIP/2.0/UDP h2;branch=z9b;rport";
        let noted = "SIP/2.0/UDP h1;rport=9;received=192.0.2.1";
        let source = "192.0.2.1:9";
        let list = format!("Via: SIP/2.0/UDP h1;rport , {next}\r\n");
        assert_eq!(received(&list, source), format!("{noted}, {next}"));
        let rows = format!("v:SIP/2.0/UDP h1;rport\r\nVia: {next}\r\n");
        assert_eq!(received(&rows, source), noted);
        for odd in ["Via: ,SIP/2.0/UDP h1;rport\r\n", "Via: SIP/2.0/UDP\r\n h1;rport\r\n"] {
            assert_eq!(received(odd, source), noted, "{odd}");
        }
    }
}
