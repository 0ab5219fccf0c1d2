//! What a browser sees: who to be, what to agree to, and what is to go wrong.

use super::{Sandbox, fault::Fault};
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

/// People to be, with their numbers at the provider.
pub const PEOPLE: [(i64, &str, &str); 3] =
    [(3001, "김미나", "mina@example.kr"), (3002, "박하늘", "haneul@example.kr"), (3003, "Joon Lee", "joon@example.kr")];

const STYLE: &str = "body{font-family:system-ui,sans-serif;background:#f4f1ea;margin:0;display:grid;place-items:center;min-height:100vh}\
main{background:#fff;border-radius:16px;padding:28px;width:min(380px,calc(100vw - 64px));box-shadow:0 8px 30px #0002;margin:24px 0}\
.note{border-radius:8px;padding:8px 12px;font-size:13px;background:#fee500}.naver .note{background:#03c75a;color:#fff}\
h1{font-size:20px;margin:18px 0 4px}small{color:#777}.note small{color:inherit}label.person{display:flex;gap:10px;align-items:center;padding:10px 12px;\
border:1px solid #ddd;border-radius:10px;margin:8px 0}label.person span{display:grid}fieldset{border:0;margin:12px 0 0;padding:0}\
.own{display:grid;gap:6px;margin:0 0 8px 30px}input[type=text],select{padding:8px;border:1px solid #ccc;border-radius:8px;width:100%;box-sizing:border-box}\
details{margin:12px 0}button{width:100%;padding:14px;border:0;border-radius:10px;font-size:16px;background:#eee;margin:4px 0}\
button small{color:inherit}button.allow{background:#fee500;font-weight:700}.naver button.allow{background:#03c75a;color:#fff}";

/// What the authorize address is given.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub response_type: String,
    #[serde(default)]
    pub client_id: String,
    #[serde(default)]
    pub redirect_uri: String,
    #[serde(default)]
    pub state: String,
    pub code_challenge: Option<String>,
    pub code_challenge_method: Option<String>,
}

impl Sandbox {
    /// Why this cannot be agreed to; nobody is sent anywhere then.
    pub(super) fn wrong(&self, asked: &Asked) -> Option<&'static str> {
        let is_known = self.0.config.may_send_browsers_to(&asked.redirect_uri);
        let is_plain = asked.code_challenge.is_some() && asked.code_challenge_method.as_deref() != Some("S256");
        match asked {
            _ if asked.client_id != self.0.client_id => Some("KOE101: client_id"),
            _ if !is_known => Some("KOE006: redirect_uri"),
            _ if asked.response_type != "code" => Some("KOE033: response_type"),
            _ if asked.state.is_empty() => Some("state"),
            _ if is_plain => Some("code_challenge_method"),
            _ => None,
        }
    }
}

pub(super) fn page(sandbox: &Sandbox, title: &str, body: &Markup) -> Markup {
    let class = if sandbox.is_kakao() { "kakao" } else { "naver" };
    html! {
        (DOCTYPE)
        html lang="ko" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                style { (STYLE) }
            }
            body class=(class) {
                main {
                    div.note { "샌드박스입니다. 누구든 될 수 있습니다. " small { "Sandbox: be whoever you like." } }
                    (body)
                }
            }
        }
    }
}

pub async fn show(State(sandbox): State<Sandbox>, Query(asked): Query<Asked>) -> Response {
    if let Some(why) = sandbox.wrong(&asked) {
        let body = html! { h1 { "잘못된 요청입니다" } p { "This cannot be agreed to: " (why) } };
        return (StatusCode::BAD_REQUEST, page(&sandbox, "오류", &body)).into_response();
    }
    let (name, english, action) = if sandbox.is_kakao() {
        ("카카오", "Kakao", "/oauth/authorize")
    } else {
        ("네이버", "Naver", "/oauth2.0/authorize")
    };
    let body = html! {
        h1 { (name) " 로그인" }
        small { "소극장에 로그인합니다 · Sign in to Spotlight Space with " (english) }
        form method="post" action={ (sandbox.base()) (action) } {
            (hidden(&asked))
            fieldset { (people()) }
            details { summary { small { "장애 실험 · faults" } } (faults()) }
            button.allow type="submit" name="press" value="allow" { "동의하고 계속하기 " small { "Allow" } }
            button type="submit" name="press" value="deny" { "취소 " small { "Deny" } }
        }
        @if sandbox.is_kakao() {
            small { a href={ (sandbox.base()) "/unlinked" } { "연결 끊기 알림 보내기 · send the unlink webhook" } }
        }
    };
    page(&sandbox, &format!("{name} 샌드박스"), &body).into_response()
}

fn hidden(asked: &Asked) -> Markup {
    html! {
        input type="hidden" name="response_type" value=(asked.response_type);
        input type="hidden" name="client_id" value=(asked.client_id);
        input type="hidden" name="redirect_uri" value=(asked.redirect_uri);
        input type="hidden" name="state" value=(asked.state);
        @if let Some(challenge) = &asked.code_challenge {
            input type="hidden" name="code_challenge" value=(challenge);
            input type="hidden" name="code_challenge_method" value="S256";
        }
    }
}

fn people() -> Markup {
    html! {
        @for (index, (id, nickname, email)) in PEOPLE.iter().enumerate() {
            label.person {
                input type="radio" name="person" value=(id) checked[index == 0];
                span { (nickname) small { (email) } }
            }
        }
        label.person {
            input type="radio" name="person" value="own";
            span { "다른 사람" small { "somebody else" } }
        }
        div.own {
            input type="text" name="nickname" placeholder="닉네임 · nickname" aria-label="닉네임 · nickname" maxlength="40";
            input type="text" name="email" placeholder="이메일 · email" aria-label="이메일 · email" maxlength="254";
        }
    }
}

fn faults() -> Markup {
    html! {
        select name="fault" aria-label="장애 · fault" {
            @for (_, value, label) in Fault::ALL { option value=(value) { (label) } }
        }
    }
}

pub async fn show_unlink(State(sandbox): State<Sandbox>) -> Response {
    let body = html! {
        h1 { "연결 끊기" }
        small { "카카오 설정에서 앱 연결을 끊은 것처럼 알립니다 · as if the person had left us at Kakao" }
        form method="post" action={ (sandbox.base()) "/unlinked" } {
            fieldset { (people()) }
            button.allow type="submit" { "알림 보내기 " small { "Send the webhook" } }
        }
    };
    page(&sandbox, "연결 끊기", &body).into_response()
}
