//! Sofia-SIP by Debian's `libsofia-sip-ua-dev`: it parses the whole message at once.

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_void},
    hint::black_box,
    sync::Once,
};

use bytes::Bytes;
use offhook_benches::sip::{Peer, Routing};

use crate::values::{Values, text};

/// Sofia-SIP.
#[derive(Debug)]
pub struct Sofia;

/// A message of Sofia-SIP.
#[derive(Debug)]
pub struct Held(*mut c_void);

/// A message that is written, in memory of Sofia-SIP or of ours.
#[derive(Debug)]
pub enum Text {
    /// Printed by Sofia-SIP.
    Theirs(*mut c_char, usize),
    /// Gathered from the parts that Sofia-SIP would send.
    Ours(Vec<u8>),
}

unsafe extern "C" {
    fn sofia_start();
    fn sofia_read(data: *const c_char, length: usize, all: c_int) -> *mut c_void;
    fn sofia_drop(message: *mut c_void);
    fn sofia_values(message: *mut c_void, out: *mut Values) -> c_int;
    fn sofia_typed(message: *mut c_void) -> c_long;
    fn sofia_write(message: *mut c_void, length: *mut usize) -> *mut c_char;
    fn sofia_free_text(text: *mut c_char);
    fn sofia_forward(
        message: *mut c_void,
        via: *const c_char,
        out: *mut c_char,
        room: usize,
    ) -> usize;
}

impl Held {
    fn read(datagram: &[u8], extensions: bool) -> Option<Self> {
        static START: Once = Once::new();
        // SAFETY: it makes a table, once.
        START.call_once(|| unsafe { sofia_start() });
        let (data, length) = (datagram.as_ptr().cast(), datagram.len());
        // SAFETY: the pointer and the length are those of one slice; it is copied.
        let message = unsafe { sofia_read(data, length, extensions.into()) };
        (!message.is_null()).then_some(Self(message))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it came from `sofia_read` and is dropped once.
        unsafe { sofia_drop(self.0) }
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        match self {
            // SAFETY: Sofia-SIP has written so many bytes there.
            Self::Theirs(at, length) => unsafe {
                std::slice::from_raw_parts(at.cast::<u8>(), *length)
            },
            Self::Ours(bytes) => bytes,
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        if let Self::Theirs(at, _) = self {
            // SAFETY: it came from `sofia_write` and is freed once.
            unsafe { sofia_free_text(*at) }
        }
    }
}

impl Peer for Sofia {
    const NAME: &'static str = "Sofia-SIP 1.12.11";
    type Parsed = Held;
    type Built = Held;
    type Written = Text;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = Held::read(datagram, false)?;
        let mut values = Values::empty();
        // SAFETY: the message is there.
        if unsafe { sofia_values(message.0, &mut values) } != 0 {
            return None;
        }
        // SAFETY: the texts are those of the message, which is still there.
        let routing = unsafe { values.routing(text(values.call_id)?) }?;
        Some(reader(&routing))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = Held::read(datagram, true)?;
        // SAFETY: the message is there.
        let typed = black_box(unsafe { sofia_typed(message.0) });
        usize::try_from(typed).ok()
    }

    fn parsed(datagram: &Bytes) -> Option<Held> {
        Held::read(datagram, false)
    }

    fn built(datagram: &Bytes) -> Option<Held> {
        Held::read(datagram, false)
    }

    fn write(built: &mut Held) -> Option<Text> {
        let mut length = 0;
        // SAFETY: the message is there; the length is written to.
        let text = unsafe { sofia_write(built.0, &mut length) };
        (!text.is_null()).then_some(Text::Theirs(text, length))
    }

    fn edit(parsed: &mut Held) -> Option<Text> {
        let mut out = Vec::<u8>::with_capacity(ROOM);
        // SAFETY: the message is there, the text ends in NUL, and there is so much room.
        unsafe {
            let length = sofia_forward(parsed.0, VIA.as_ptr(), out.as_mut_ptr().cast(), ROOM);
            if length == 0 {
                return None;
            }
            out.set_len(length);
        }
        Some(Text::Ours(out))
    }
}

const ROOM: usize = 4096;
const VIA: &CStr = c"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK77ef4c2312983.1";
