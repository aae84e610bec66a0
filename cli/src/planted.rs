//! Mistakes on request, for the proof that the tests by power cuts see them: `BOUTIQUE_PLANT` in debug builds, refused by all others.

use anyhow::bail;

/// The variable that names the mistake.
const VARIABLE: &str = "BOUTIQUE_PLANT";

/// Makes the mistake that the environment asks for, if it asks for one.
///
/// # Errors
/// When the mistake is unknown, or this build cannot make any.
pub fn plant() -> anyhow::Result<()> {
    match std::env::var(VARIABLE).as_deref() {
        Err(_) | Ok("") => {}
        #[cfg(debug_assertions)]
        Ok("sqlite-synchronous-normal") => store::planted::commit_without_waiting_for_the_disk(),
        #[cfg(debug_assertions)]
        Ok("broker-without-sync") => broker::planted::answer_without_waiting_for_the_disk(),
        Ok(other) => bail!("{VARIABLE} asks for {other:?}, a mistake that this build cannot make"),
    }
    Ok(())
}
