//! What the C parsers are asked for, as `c/peers.h` has it.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};

use offhook_benches::sip::{Routing, Start, Verb};

#[repr(C)]
pub(crate) struct Values {
    method: *const c_char,
    status: c_int,
    branch: *const c_char,
    from_tag: *const c_char,
    to_tag: *const c_char,
    pub(crate) call_id: *const c_char,
    pub(crate) call_id_host: *const c_char,
    cseq_method: *const c_char,
    cseq: c_ulong,
    max_forwards: c_long,
    has_route: c_int,
    body: usize,
}

impl Values {
    pub(crate) fn empty() -> Self {
        let absent = std::ptr::null();
        Self {
            method: absent,
            status: 0,
            branch: absent,
            from_tag: absent,
            to_tag: absent,
            call_id: absent,
            call_id_host: absent,
            cseq_method: absent,
            cseq: 0,
            max_forwards: -1,
            has_route: 0,
            body: 0,
        }
    }

    /// # Safety
    /// The texts must be those of a message that is still there.
    pub(crate) unsafe fn routing<'a>(&'a self, call_id: &'a str) -> Option<Routing<'a>> {
        // SAFETY: the caller's promise.
        let (branch, from_tag, to_tag, cseq_method, method) = unsafe {
            (
                text(self.branch),
                text(self.from_tag),
                text(self.to_tag),
                text(self.cseq_method),
                text(self.method),
            )
        };
        let start = match u16::try_from(self.status).ok()? {
            0 => Start::Request(verb(method?)),
            status => Start::Response(status),
        };
        Some(Routing {
            start,
            branch: branch?,
            from_tag: from_tag?,
            to_tag,
            call_id,
            cseq: self.cseq.try_into().ok()?,
            cseq_method: verb(cseq_method?),
            max_forwards: u32::try_from(self.max_forwards).ok(),
            has_route: self.has_route != 0,
            body: self.body,
        })
    }
}

/// # Safety
/// `at` must be null or a text that ends in NUL and lives as long as is said.
pub(crate) unsafe fn text<'a>(at: *const c_char) -> Option<&'a str> {
    if at.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(at) }.to_str().ok()
}

fn verb(method: &str) -> Verb {
    match method {
        "INVITE" => Verb::Invite,
        "REGISTER" => Verb::Register,
        _ => Verb::Other,
    }
}
