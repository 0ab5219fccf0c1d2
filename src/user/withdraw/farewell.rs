//! The letter that confirms a withdrawal, to the address that was erased.

use crate::{
    app::App,
    error::Result,
    infra::{
        jobs::{Job, Lane},
        mail::Letter,
    },
    language::Language,
};
use entity::{ids::UserId, user};
use serde::{Deserialize, Serialize};

/// The one job that carries a personal fact instead of an id: when it runs, no row knows the address any more. It goes with
/// the job's row, when the letter was sent.
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
    const LANE: Lane = Lane::Outside;

    async fn run(self, app: &App) -> Result<()> {
        let (subject, text) = if self.is_english {
            (
                "[Spotlight Space] Your account is closed",
                "Your account is closed, and what was personal in it is erased.\nRecords of sales, and reviews without your \
                 name, are kept.\n\nIf this was not you, answer this mail.",
            )
        } else {
            (
                "[소극장] 탈퇴가 완료되었습니다",
                "탈퇴가 완료되어 개인정보를 삭제했습니다.\n거래 기록과 이름이 지워진 후기는 남습니다.\n\n본인이 탈퇴하지 않았다면 이 메일에 \
                 회신해 주세요.",
            )
        };
        let id = format!("farewell-{}", self.user_id);
        app.mail.send(&Letter { id, to: self.email, subject: subject.to_owned(), text: text.to_owned() }).await
    }
}
