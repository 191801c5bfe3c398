//! The example programs of the workspace.

use std::{ffi::OsStr, path::Path, process::Command};

use crate::{Failure, Peer, Stage, stage};

/// Starts an example with these arguments, built in the profile of the test. It is brought up to
/// date first, so that an old program is never taken for the present one.
///
/// # Errors
///
/// If it does not build or start.
pub fn example<A: AsRef<OsStr>>(
    stage: &Stage,
    name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Peer, Failure> {
    build(name)?;
    let program = stage::profile()?.join("examples").join(name);
    let mut command = Command::new(program);
    command.args(arguments).env("RUST_LOG", "debug").current_dir(stage.folder());
    Peer::start(&mut command, &stage.file(&format!("{name}.log")))
}

fn build(name: &str) -> Result<(), Failure> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "offhook-examples", "--example", name]);
    if stage::profile()?.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    cargo
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .arg("--target-dir")
        .arg(stage::target()?);
    if cargo.status()?.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("the example {name} does not build")))
    }
}
