//! Builds the few lines of C through which libosip2 and Sofia-SIP are called.

fn main() {
    println!("cargo::rerun-if-changed=c");
    #[cfg(feature = "c-peers")]
    c_peers();
}

#[cfg(feature = "c-peers")]
fn c_peers() {
    cc::Build::new()
        .files(["c/osip.c", "c/sofia.c"])
        .include("/usr/include/sofia-sip-1.12")
        .opt_level(3)
        .warnings(false)
        .compile("peers");
    for library in ["osip2", "osipparser2", "sofia-sip-ua"] {
        println!("cargo::rustc-link-lib={library}");
    }
}
