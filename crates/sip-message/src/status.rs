//! Response status codes (RFC 3261 §7.2 and §21): an open registry with named constants.

use std::fmt;

use crate::ParseError;

/// A status code, always within 100 to 699.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

impl StatusCode {
    /// The code `code`; `None` outside of 100 to 699.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            100..=699 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The first digit, 1 to 6 (RFC 3261 §7.2).
    pub const fn class(self) -> u8 {
        match self.0 {
            ..200 => 1,
            200..300 => 2,
            300..400 => 3,
            400..500 => 4,
            500..600 => 5,
            600.. => 6,
        }
    }

    /// 1xx: the request is being worked on.
    pub const fn is_provisional(self) -> bool {
        self.class() == 1
    }

    /// 2xx.
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// 3xx.
    pub const fn is_redirection(self) -> bool {
        self.class() == 3
    }

    /// 200 and above: ends the transaction.
    pub const fn is_final(self) -> bool {
        !self.is_provisional()
    }
}

macro_rules! codes {
    ($($code:literal $constant:ident $reason:literal $rfc:literal;)*) => {
        impl StatusCode {
            $(#[doc = concat!(stringify!($code), " ", $reason, ", ", $rfc, ".")]
            pub const $constant: Self = Self($code);)*

            /// The phrase that the registry gives this code; that of the class for unknown codes
            /// (RFC 3261 §8.1.3.2 treats them alike).
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => self.class_reason(),
                }
            }
        }
    };
}

codes! {
    100 TRYING "Trying" "RFC 3261 §21.1.1";
    180 RINGING "Ringing" "RFC 3261 §21.1.2";
    181 CALL_IS_BEING_FORWARDED "Call Is Being Forwarded" "RFC 3261 §21.1.3";
    182 QUEUED "Queued" "RFC 3261 §21.1.4";
    183 SESSION_PROGRESS "Session Progress" "RFC 3261 §21.1.5";
    199 EARLY_DIALOG_TERMINATED "Early Dialog Terminated" "RFC 6228";
    200 OK "OK" "RFC 3261 §21.2.1";
    202 ACCEPTED "Accepted" "RFC 6665 §8.3.1";
    204 NO_NOTIFICATION "No Notification" "RFC 5839";
    300 MULTIPLE_CHOICES "Multiple Choices" "RFC 3261 §21.3.1";
    301 MOVED_PERMANENTLY "Moved Permanently" "RFC 3261 §21.3.2";
    302 MOVED_TEMPORARILY "Moved Temporarily" "RFC 3261 §21.3.3";
    305 USE_PROXY "Use Proxy" "RFC 3261 §21.3.4";
    380 ALTERNATIVE_SERVICE "Alternative Service" "RFC 3261 §21.3.5";
    400 BAD_REQUEST "Bad Request" "RFC 3261 §21.4.1";
    401 UNAUTHORIZED "Unauthorized" "RFC 3261 §21.4.2";
    402 PAYMENT_REQUIRED "Payment Required" "RFC 3261 §21.4.3";
    403 FORBIDDEN "Forbidden" "RFC 3261 §21.4.4";
    404 NOT_FOUND "Not Found" "RFC 3261 §21.4.5";
    405 METHOD_NOT_ALLOWED "Method Not Allowed" "RFC 3261 §21.4.6";
    406 NOT_ACCEPTABLE "Not Acceptable" "RFC 3261 §21.4.7";
    407 PROXY_AUTHENTICATION_REQUIRED "Proxy Authentication Required" "RFC 3261 §21.4.8";
    408 REQUEST_TIMEOUT "Request Timeout" "RFC 3261 §21.4.9";
    410 GONE "Gone" "RFC 3261 §21.4.10";
    412 CONDITIONAL_REQUEST_FAILED "Conditional Request Failed" "RFC 3903 §11.2.1";
    413 REQUEST_ENTITY_TOO_LARGE "Request Entity Too Large" "RFC 3261 §21.4.11";
    414 REQUEST_URI_TOO_LONG "Request-URI Too Long" "RFC 3261 §21.4.12";
    415 UNSUPPORTED_MEDIA_TYPE "Unsupported Media Type" "RFC 3261 §21.4.13";
    416 UNSUPPORTED_URI_SCHEME "Unsupported URI Scheme" "RFC 3261 §21.4.14";
    417 UNKNOWN_RESOURCE_PRIORITY "Unknown Resource-Priority" "RFC 4412 §12.4";
    420 BAD_EXTENSION "Bad Extension" "RFC 3261 §21.4.15";
    421 EXTENSION_REQUIRED "Extension Required" "RFC 3261 §21.4.16";
    422 SESSION_INTERVAL_TOO_SMALL "Session Interval Too Small" "RFC 4028 §6";
    423 INTERVAL_TOO_BRIEF "Interval Too Brief" "RFC 3261 §21.4.17";
    428 USE_IDENTITY_HEADER "Use Identity Header" "RFC 8224 §6.2.2";
    429 PROVIDE_REFERRER_IDENTITY "Provide Referrer Identity" "RFC 3892 §5";
    430 FLOW_FAILED "Flow Failed" "RFC 5626 §11.5";
    433 ANONYMITY_DISALLOWED "Anonymity Disallowed" "RFC 5079";
    439 FIRST_HOP_LACKS_OUTBOUND_SUPPORT "First Hop Lacks Outbound Support" "RFC 5626 §11.6";
    440 MAX_BREADTH_EXCEEDED "Max-Breadth Exceeded" "RFC 5393 §5";
    469 BAD_INFO_PACKAGE "Bad Info Package" "RFC 6086 §4.2.2";
    470 CONSENT_NEEDED "Consent Needed" "RFC 5360 §5.9.2";
    480 TEMPORARILY_UNAVAILABLE "Temporarily Unavailable" "RFC 3261 §21.4.18";
    481 CALL_OR_TRANSACTION_DOES_NOT_EXIST "Call/Transaction Does Not Exist" "RFC 3261 §21.4.19";
    482 LOOP_DETECTED "Loop Detected" "RFC 3261 §21.4.20";
    483 TOO_MANY_HOPS "Too Many Hops" "RFC 3261 §21.4.21";
    484 ADDRESS_INCOMPLETE "Address Incomplete" "RFC 3261 §21.4.22";
    485 AMBIGUOUS "Ambiguous" "RFC 3261 §21.4.23";
    486 BUSY_HERE "Busy Here" "RFC 3261 §21.4.24";
    487 REQUEST_TERMINATED "Request Terminated" "RFC 3261 §21.4.25";
    488 NOT_ACCEPTABLE_HERE "Not Acceptable Here" "RFC 3261 §21.4.26";
    489 BAD_EVENT "Bad Event" "RFC 6665 §8.3.2";
    491 REQUEST_PENDING "Request Pending" "RFC 3261 §21.4.27";
    493 UNDECIPHERABLE "Undecipherable" "RFC 3261 §21.4.28";
    494 SECURITY_AGREEMENT_REQUIRED "Security Agreement Required" "RFC 3329 §2.3.1";
    500 SERVER_INTERNAL_ERROR "Server Internal Error" "RFC 3261 §21.5.1";
    501 NOT_IMPLEMENTED "Not Implemented" "RFC 3261 §21.5.2";
    502 BAD_GATEWAY "Bad Gateway" "RFC 3261 §21.5.3";
    503 SERVICE_UNAVAILABLE "Service Unavailable" "RFC 3261 §21.5.4";
    504 SERVER_TIME_OUT "Server Time-out" "RFC 3261 §21.5.5";
    505 VERSION_NOT_SUPPORTED "Version Not Supported" "RFC 3261 §21.5.6";
    513 MESSAGE_TOO_LARGE "Message Too Large" "RFC 3261 §21.5.7";
    580 PRECONDITION_FAILURE "Precondition Failure" "RFC 3312 §8";
    600 BUSY_EVERYWHERE "Busy Everywhere" "RFC 3261 §21.6.1";
    603 DECLINE "Decline" "RFC 3261 §21.6.2";
    604 DOES_NOT_EXIST_ANYWHERE "Does Not Exist Anywhere" "RFC 3261 §21.6.3";
    606 NOT_ACCEPTABLE_ANYWHERE "Not Acceptable" "RFC 3261 §21.6.4";
    607 UNWANTED "Unwanted" "RFC 8197";
}

impl StatusCode {
    const fn class_reason(self) -> &'static str {
        match self.class() {
            1 => "Session Progress",
            2 => "OK",
            3 => "Multiple Choices",
            4 => "Bad Request",
            5 => "Server Internal Error",
            _ => "Decline",
        }
    }
}

impl TryFrom<u16> for StatusCode {
    type Error = ParseError;

    fn try_from(code: u16) -> Result<Self, ParseError> {
        let expected = "a status code from 100 to 699";
        Self::new(code).ok_or_else(|| ParseError::new(0, expected, "RFC 3261 §7.2"))
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_six_classes_exist() {
        assert_eq!(StatusCode::new(99), None);
        assert_eq!(StatusCode::new(700), None);
        assert!(StatusCode::try_from(99).is_err());
        for code in 100..=699 {
            let status = StatusCode::new(code).unwrap();
            assert_eq!(u16::from(status.class()), code / 100);
            assert_eq!(status.is_final(), code >= 200);
        }
    }

    #[test]
    fn an_unknown_code_has_the_phrase_of_its_class() {
        assert_eq!(StatusCode::new(486).unwrap().reason(), "Busy Here");
        assert_eq!(StatusCode::new(499).unwrap().reason(), "Bad Request");
    }
}
