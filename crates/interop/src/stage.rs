//! The folder of one test.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::Failure;

/// A folder `target/interop/NAME` for what one test and its peers write. It is emptied at the
/// start of the test and stays afterwards, so that a failure can be looked into.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
}

impl Stage {
    /// The empty folder of the test `name`.
    ///
    /// # Errors
    ///
    /// If it cannot be emptied or made.
    pub fn new(name: &str) -> Result<Self, Failure> {
        let folder = target()?.join("interop").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The folder that cargo builds this profile into: a test binary lies in its `deps`.
pub(crate) fn profile() -> Result<PathBuf, Failure> {
    let binary = env::current_exe()?;
    let profile = binary.parent().and_then(Path::parent);
    Ok(profile.ok_or_else(|| Failure::new("the test binary lies in no target folder"))?.to_owned())
}

/// cargo's target folder.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let profile = profile()?;
    Ok(profile.parent().unwrap_or(&profile).to_owned())
}
