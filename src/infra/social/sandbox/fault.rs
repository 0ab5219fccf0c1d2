//! What is to go wrong on one way through the sandbox. It is chosen on the page, and goes with the code and the token,
//! so that two people at once do not spoil each other's.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[default]
    None,
    /// The code is worthless when it arrives.
    ExpiredCode,
    /// The person keeps the email to themselves.
    NoEmail,
    /// There is an email that nobody has verified.
    UnverifiedEmail,
    /// The person consents to nothing beyond the sign-in itself.
    Bare,
    TokenError,
    ProfileError,
    TokenSlow,
    ProfileSlow,
    TokenGarbage,
    ProfileGarbage,
    /// The profile is refused: at Naver with 200.
    ProfileRefused,
}

impl Fault {
    /// With the words of the page.
    pub const ALL: [(Self, &str, &str); 12] = [
        (Self::None, "none", "정상 · none"),
        (Self::ExpiredCode, "expired_code", "만료된 코드 · expired code"),
        (Self::NoEmail, "no_email", "이메일 미동의 · no email"),
        (Self::UnverifiedEmail, "unverified_email", "인증되지 않은 이메일 · unverified email"),
        (Self::Bare, "bare", "아무 정보도 없음 · nothing but an id"),
        (Self::TokenError, "token_error", "토큰 요청 500 · 5xx at token"),
        (Self::ProfileError, "profile_error", "프로필 요청 500 · 5xx at profile"),
        (Self::TokenSlow, "token_slow", "토큰 시간 초과 · time-out at token"),
        (Self::ProfileSlow, "profile_slow", "프로필 시간 초과 · time-out at profile"),
        (Self::TokenGarbage, "token_garbage", "알 수 없는 토큰 응답 · garbage at token"),
        (Self::ProfileGarbage, "profile_garbage", "알 수 없는 프로필 응답 · garbage at profile"),
        (Self::ProfileRefused, "profile_refused", "프로필 거절 · profile refused"),
    ];

    pub(super) async fn at_token(self, too_long: Duration) -> Result<(), Response> {
        match self {
            Self::TokenError => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Self::TokenSlow => Err(late(too_long).await),
            Self::TokenGarbage => Err(garbage()),
            Self::None
            | Self::ExpiredCode
            | Self::NoEmail
            | Self::UnverifiedEmail
            | Self::Bare
            | Self::ProfileError
            | Self::ProfileSlow
            | Self::ProfileGarbage
            | Self::ProfileRefused => Ok(()),
        }
    }

    pub(super) async fn at_profile(self, too_long: Duration) -> Result<(), Response> {
        match self {
            Self::ProfileError => Err(StatusCode::BAD_GATEWAY.into_response()),
            Self::ProfileSlow => Err(late(too_long).await),
            Self::ProfileGarbage => Err(garbage()),
            Self::None
            | Self::ExpiredCode
            | Self::NoEmail
            | Self::UnverifiedEmail
            | Self::Bare
            | Self::TokenError
            | Self::TokenSlow
            | Self::TokenGarbage
            | Self::ProfileRefused => Ok(()),
        }
    }
}

async fn late(too_long: Duration) -> Response {
    tokio::time::sleep(too_long).await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

fn garbage() -> Response {
    (StatusCode::OK, "<html>점검 중</html>").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_each_fault_as_the_form_reads_it() {
        for (fault, word, _) in Fault::ALL {
            assert_eq!(serde_json::from_value::<Fault>(word.into()).ok(), Some(fault), "{word}");
        }
    }
}
