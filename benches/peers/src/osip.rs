//! libosip2 by Debian's `libosip2-dev`: it parses the whole message at once.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    hint::black_box,
    sync::Once,
};

use bytes::Bytes;
use offhook_benches::sip::{Peer, Routing};

use crate::values::{Values, text};

/// libosip2.
#[derive(Debug)]
pub struct Osip;

/// A message of libosip2.
#[derive(Debug)]
pub struct Held(*mut c_void);

/// A text that libosip2 has allocated.
#[derive(Debug)]
pub struct Text(*mut c_char, usize);

unsafe extern "C" {
    fn osip_start();
    fn osip_read(data: *const c_char, length: usize) -> *mut c_void;
    fn osip_drop(message: *mut c_void);
    fn osip_values(message: *mut c_void, out: *mut Values) -> c_int;
    fn osip_typed(message: *mut c_void) -> usize;
    fn osip_forget(message: *mut c_void);
    fn osip_write(message: *mut c_void, length: *mut usize) -> *mut c_char;
    fn osip_free_text(text: *mut c_char);
    fn osip_forward(message: *mut c_void, via: *const c_char) -> c_int;
}

impl Held {
    fn read(datagram: &[u8]) -> Option<Self> {
        static START: Once = Once::new();
        // SAFETY: it fills tables, once.
        START.call_once(|| unsafe { osip_start() });
        // SAFETY: the pointer and the length are those of one slice; it is copied.
        let message = unsafe { osip_read(datagram.as_ptr().cast(), datagram.len()) };
        (!message.is_null()).then_some(Self(message))
    }

    fn write(&mut self) -> Option<Text> {
        let mut length = 0;
        // SAFETY: the message is there; the length is written to.
        let text = unsafe { osip_write(self.0, &mut length) };
        (!text.is_null()).then_some(Text(text, length))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it came from `osip_read` and is dropped once.
        unsafe { osip_drop(self.0) }
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: libosip2 has written so many bytes there.
        unsafe { std::slice::from_raw_parts(self.0.cast(), self.1) }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: it came from `osip_write` and is freed once.
        unsafe { osip_free_text(self.0) }
    }
}

impl Peer for Osip {
    const NAME: &'static str = "libosip2 5.3.0";
    type Parsed = Held;
    type Built = Held;
    type Written = Text;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = Held::read(datagram)?;
        let mut values = Values::empty();
        // SAFETY: the message is there.
        if unsafe { osip_values(message.0, &mut values) } != 0 {
            return None;
        }
        // SAFETY: the texts are those of the message, which is still there.
        let (number, host) = unsafe { (text(values.call_id)?, text(values.call_id_host)) };
        // The parts of the Call-ID stand in one text, the `@` between them being a NUL.
        let call_id = WholeCallId::of(number, host)?;
        // SAFETY: as above.
        let routing = unsafe { values.routing(call_id.as_str()) }?;
        Some(reader(&routing))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = Held::read(datagram)?;
        // SAFETY: the message is there.
        Some(black_box(unsafe { osip_typed(message.0) }))
    }

    fn parsed(datagram: &Bytes) -> Option<Held> {
        Held::read(datagram)
    }

    fn built(datagram: &Bytes) -> Option<Held> {
        let message = Held::read(datagram)?;
        // SAFETY: the message is there.
        unsafe { osip_forget(message.0) };
        Some(message)
    }

    fn write(built: &mut Held) -> Option<Text> {
        built.write()
    }

    fn edit(parsed: &mut Held) -> Option<Text> {
        // SAFETY: the message is there, the text ends in NUL.
        let changed = unsafe { osip_forward(parsed.0, VIA.as_ptr()) };
        if changed != 0 { None } else { parsed.write() }
    }
}

/// A Call-ID put together from its parts, on the stack, so that this costs the peer next to nothing.
struct WholeCallId([u8; 256], usize);

impl WholeCallId {
    fn of(number: &str, host: Option<&str>) -> Option<Self> {
        let mut whole = Self([0; 256], 0);
        whole.push(number)?;
        if let Some(host) = host {
            whole.push("@")?;
            whole.push(host)?;
        }
        Some(whole)
    }

    fn push(&mut self, text: &str) -> Option<()> {
        let end = self.1.checked_add(text.len())?;
        self.0.get_mut(self.1..end)?.copy_from_slice(text.as_bytes());
        self.1 = end;
        Some(())
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.0.get(..self.1).unwrap_or_default()).unwrap_or_default()
    }
}

const VIA: &CStr = c"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK77ef4c2312983.1";
