//! Counts allocations: to write a message takes one, whatever was done to it before.
//!
//! A global allocator cannot be written without `unsafe`; this is the one place here that has any.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

use bytes::{Bytes, BytesMut};
use offhook_sip_message::{
    Allow, CSeq, CallId, Contact, From, HeaderName, MaxForwards, Message, Method, NameAddr,
    ParseOptions, RecordRoute, Request, RequestBuilder, Response, StatusCode, Text, To, Uri,
    UserAgent, ValidRequest, Via,
};

struct Counting;

thread_local! {
    /// Each test has a thread of its own, so that tests do not count each other.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged. Counting neither allocates nor
// unwinds: the cell is constant-initialised and has no destructor, so it is there at all times.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

/// Debug builds read every value back to see whether the quick look at it was right.
const READS_BACK: bool = cfg!(debug_assertions);

#[test]
fn the_counter_counts() {
    let (count, _) = allocations_of(|| black_box(Box::new(1)));
    assert_eq!(count, 1);
    let mut growing = Vec::with_capacity(1);
    let (count, ()) = allocations_of(|| growing.extend_from_slice(black_box(&[0; 100])));
    assert_eq!(count, 1);
}

#[test]
fn a_request_of_typed_values_is_written_with_one_allocation_of_three() {
    let values = Values::new();
    let builder = invite(&values);
    let (count, request) = allocations_of(|| builder.build().unwrap());
    assert_eq!(count, 1);
    assert_eq!(request.header::<CSeq>().unwrap().unwrap().method, Method::INVITE);
    let (count, request) = allocations_of(|| {
        let with_body = invite(&values).body("application/sdp", Bytes::from_static(SDP));
        with_body.build().unwrap()
    });
    assert!(READS_BACK || count == 3, "{count}");
    assert_eq!(request.body(), SDP);
}

#[test]
fn the_edit_of_a_carrier_invite_is_written_with_one_allocation() {
    let values = Values::new();
    let route = RecordRoute::new(NameAddr::new("sip:proxy.example;lr".parse().unwrap()));
    let invite = received(include_bytes!("data/carrier/invite.sip"));
    let untouched = invite.request().edit();
    let (count, written) = allocations_of(|| untouched.build().unwrap());
    assert_eq!(count, 1);
    assert_eq!(written.as_bytes(), invite.as_bytes());
    let agent = UserAgent(Text::from_static("offhook"));
    let edit = |request: &Request| {
        let edit = request.edit().prepend(&values.via).prepend(&route).replace(&MaxForwards(65));
        edit.remove(HeaderName::USER_AGENT).header(&agent)
    };
    let (_, builder) = allocations_of(|| edit(&invite));
    let (count, written) = allocations_of(|| builder.build().unwrap());
    assert_eq!(count, 1);
    assert_eq!(written.header::<MaxForwards>().unwrap(), Some(MaxForwards(65)));
    let (count, _) = allocations_of(|| edit(&invite).build().unwrap());
    // One for the builder, one for rows beyond those of most messages, one for text, and one for
    // the message.
    assert!(READS_BACK || count == 4, "{count}");
}

#[test]
fn a_reply_is_written_with_one_allocation_of_three() {
    let contact = Contact::new("sip:bob@192.0.2.4".parse::<Uri>().unwrap());
    for message in [INVITE, include_bytes!("data/carrier/invite.sip")] {
        let invite = received(message);
        let reply = || {
            let reply = Response::reply_to(&invite, StatusCode::OK).to_tag("a6c85cf");
            reply.header(&contact).body("application/sdp", Bytes::from_static(SDP))
        };
        let builder = reply();
        let (count, response) = allocations_of(|| builder.build().unwrap());
        assert_eq!(count, 1);
        assert_eq!(response.header::<To>().unwrap().unwrap().tag(), Some("a6c85cf"));
        let (count, _) = allocations_of(|| reply().build().unwrap());
        assert!(READS_BACK || count == 3, "{count}");
    }
}

struct Values {
    uri: Uri,
    via: Via,
    to: To,
    from: From,
    contact: Contact,
    allow: [Allow; 3],
}

impl Values {
    fn new() -> Self {
        let address = |text: &'static str| sound(text.parse::<Uri>());
        let bob = NameAddr::new(address("sip:bob@biloxi.com")).with_display_name("Bob");
        let via = Via::new("UDP", sound("pc33.atlanta.com".parse()), Some(5060));
        Self {
            uri: address("sip:bob@biloxi.com"),
            via: via.with_branch("z9hG4bKnashds8").with_rport(),
            to: To::new(bob),
            from: From::new(address("sip:alice@atlanta.com")).with_tag("1928301774"),
            contact: Contact::new(address("sip:alice@pc33.atlanta.com")),
            allow: [Allow(Method::INVITE), Allow(Method::ACK), Allow(Method::BYE)],
        }
    }
}

fn invite(values: &Values) -> RequestBuilder {
    Request::builder(Method::INVITE, &values.uri)
        .header(&values.via)
        .header(&MaxForwards(70))
        .header(&values.to)
        .header(&values.from)
        .header(&CallId(Text::from_static("a84b4c76e66710")))
        .header(&CSeq { number: 314_159, method: Method::INVITE })
        .header(&values.contact)
        .list(&values.allow)
}

/// A request in a part of a driver's memory.
fn received(message: &[u8]) -> ValidRequest {
    let mut buffer = BytesMut::with_capacity(65_536);
    buffer.extend_from_slice(message);
    let Ok(Message::Request(request)) = Message::parse(buffer.split().freeze()) else {
        unreachable!("the message is a request")
    };
    sound(ValidRequest::new(request, &ParseOptions::default()))
}

fn sound<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| unreachable!("what is given is sound: {error:?}"))
}

const INVITE: &[u8] = include_bytes!("data/rfc3261-flows/24.2/01-invite.sip");
const SDP: &[u8] = b"v=0\r\no=bob 1 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n";
