//! Why an admin does something to somebody: always asked for, and kept in the audit log.

use crate::error::{Problems, Result};

/// Cut, and of a sensible length.
pub fn check(reason: &str) -> Result<String> {
    let mut problems = Problems::default();
    problems.length(&["reason"], reason, 1, 500);
    problems.check()?;
    Ok(reason.trim().to_owned())
}
