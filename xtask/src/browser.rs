//! Chromium, for the tests in a real browser and the screenshots.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::install;

/// Names the browser, for us and for what we start.
pub(crate) const VARIABLE: &str = "CONCORD_CHROMIUM";

/// Where Chromium lies: as [`VARIABLE`] says, else as found, else newly installed.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let file = PathBuf::from(named);
        if !file.is_file() {
            bail!("{VARIABLE} names {}, which is not there", file.display());
        }
        return Ok(file);
    }
    if let Some(file) = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| install::find(name, &[]))
    {
        return Ok(file);
    }
    // With a font for emoji, because the pictures show some.
    install::packages(&["chromium", "fonts-noto-color-emoji"])?;
    install::need("chromium", &[], "chromium")
}
