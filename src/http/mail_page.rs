//! `/mail`: the mail folder, readable; in development only.

use crate::{
    app::App,
    infra::mail::{Mail, read},
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use maud::{DOCTYPE, html};

/// The latest letters that are shown.
const MOST: usize = 100;

pub fn routes(app: &App) -> Router {
    Router::new().route("/mail", get(list)).with_state(app.clone())
}

async fn list(State(app): State<App>) -> Response {
    let Mail::Folder(mail) = &app.mail;
    let folder = mail.folder().to_owned();
    let Ok(Ok(letters)) = tokio::task::spawn_blocking(move || read::newest(&folder, MOST)).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the mail folder cannot be read").into_response();
    };
    html! {
        (DOCTYPE)
        html lang="ko" {
            head {
                meta charset="utf-8";
                title { "메일 · 소극장" }
                style { "body{font-family:system-ui;max-width:46rem;margin:3rem auto}article{border:1px solid #ddd;border-radius:12px;padding:1rem 1.4rem;margin:1rem 0}pre{white-space:pre-wrap;font:inherit}" }
            }
            body {
                h1 { "보낸 메일 " small { "mail that was sent" } }
                @if letters.is_empty() { p { "아직 없습니다. Nothing yet." } }
                @for letter in &letters {
                    article {
                        strong { (letter.subject) }
                        div { small { "→ " (letter.to) } }
                        pre { (letter.text) }
                    }
                }
            }
        }
    }
    .into_response()
}
