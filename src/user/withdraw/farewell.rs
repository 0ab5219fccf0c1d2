//! The letter that confirms a withdrawal, to the address that was erased.

use crate::{
    app::App,
    auth::letters,
    error::Result,
    infra::jobs::{Job, Lane},
    language::Language,
};
use entity::{ids::UserId, user};
use serde::{Deserialize, Serialize};

/// Carries an address instead of an id: when it runs, no row knows it any more. It goes with the job's row, when the letter
/// was sent or refused for good.
#[derive(Debug, Serialize, Deserialize)]
pub struct Farewell {
    user_id: UserId,
    email: String,
    is_english: bool,
}

impl Farewell {
    /// Nobody to write to without an address.
    pub fn to(user: &user::Model) -> Option<Self> {
        let email = user.email.clone()?;
        Some(Self { user_id: user.id, email, is_english: Language::of_member(&user.language) == Language::En })
    }
}

impl Job for Farewell {
    const NAME: &'static str = "farewell";
    const LANE: Lane = Lane::Mail;
    const CARRIES_ADDRESS: bool = true;

    async fn run(self, app: &App) -> Result<()> {
        let language = if self.is_english { Language::En } else { Language::Ko };
        app.mail.send(&letters::withdrawn(format!("farewell-{}", self.user_id), self.email, language)).await
    }
}
