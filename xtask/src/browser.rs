//! Chromium, for the tests in a real browser and the screenshots.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::install;

/// Where Chromium lies; it is installed where that is possible. `CONCORD_CHROMIUM` names another one.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CONCORD_CHROMIUM") {
        let file = PathBuf::from(named);
        if !file.is_file() {
            bail!("CONCORD_CHROMIUM names {}, which is not there", file.display());
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
