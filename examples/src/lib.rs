//! What the example programs share: how they read a duration, log, and end.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::{fmt, process::ExitCode, time::Duration};

use tracing_subscriber::EnvFilter;

/// Logs to standard error what `RUST_LOG` asks for, for example `RUST_LOG=offhook_sip=debug`.
pub fn log() {
    let filter = EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Ends a program: with status 0, or with one line on standard error and status 2.
pub fn exit<E: fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Reads `30ms`, `1.5s` or `2`, the last in seconds.
///
/// # Errors
///
/// If it is none of these, or below zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("{text:?} is no duration"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|error| error.to_string())
}

/// Reads `5%` or `0.05` as a share from 0 to 1.
///
/// # Errors
///
/// If it is neither, or out of range.
pub fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 0.01),
        None => (text, 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("{text:?} is no share"))?;
    let share = number * scale;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("{text} is not 0% to 100%")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_unit() {
        assert_eq!(duration("30ms"), Ok(Duration::from_millis(30)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert!(duration("-1s").is_err());
        assert!(duration("soon").is_err());
        assert!(duration("1e300").is_err());
    }

    #[test]
    fn shares_are_read_as_percent_or_fraction() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.25"), Ok(0.25));
        assert!(share("101%").is_err());
        assert!(share("NaN").is_err());
    }
}
