//! The folder of one run, and its end.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A folder that goes with the run.
pub struct WorkFolder(PathBuf);

impl WorkFolder {
    /// Makes an empty one below `parent`.
    ///
    /// # Errors
    /// When it cannot be made, or is there already.
    pub fn below(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("boutique-bench-{}", std::process::id()));
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make {}: choose a folder with --work-dir", path.display()))?;
        // Other processes are told its name and have working folders of their own.
        let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("boutique: cannot remove {}: {error}", self.0.display());
        }
    }
}
