//! The parsers that offhook is measured against, each driven in its fastest proper way: what it
//! parses at once it parses at once, what it parses on demand is demanded, and text that it would
//! copy only to hand out a value is not copied where its interface allows that.
#![deny(missing_docs)]

use offhook_benches::sip::{Candidate, Job, Offhook, Rsip, candidates};

mod ezk;
pub use ezk::Ezk;

#[cfg(feature = "c-peers")]
mod osip;
#[cfg(feature = "c-peers")]
pub use osip::Osip;

mod rsiprtp;
pub use rsiprtp::Rsiprtp;

mod rsipstack;
pub use rsipstack::Rsipstack;

mod rvoip;
pub use rvoip::Rvoip;

#[cfg(feature = "c-peers")]
mod sofia;
#[cfg(feature = "c-peers")]
pub use sofia::Sofia;

#[cfg(feature = "c-peers")]
mod values;

/// The job as each peer does it, offhook first.
pub fn all_candidates(job: Job) -> Vec<Candidate> {
    let mut all = candidates::<Offhook>(job);
    all.extend(candidates::<Rsip>(job));
    all.extend(candidates::<Rsipstack>(job));
    all.extend(candidates::<Rsiprtp>(job));
    all.extend(candidates::<Ezk>(job));
    all.extend(candidates::<Rvoip>(job));
    #[cfg(feature = "c-peers")]
    {
        all.extend(candidates::<Osip>(job));
        all.extend(candidates::<Sofia>(job));
    }
    all
}

/// The names of the peers, in the same order.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        Job::ALL.into_iter().flat_map(all_candidates).map(|candidate| candidate.peer).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(*name);
        new
    });
    names
}
