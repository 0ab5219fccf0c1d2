//! `/mail`: the mail folder, readable; in development only.
//!
//! A letter's own HTML is shown in a frame that may do nothing: no scripts, no forms, no way to this page.

use crate::{
    app::App,
    infra::mail::read::{self, Shown},
};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, html};

/// The latest letters that are shown.
const MOST: usize = 100;
/// A frame made of `srcdoc` is bound by this too.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = ":root{color-scheme:light dark;--line:#8884;--soft:#8888}\
     body{font-family:system-ui,'Noto Sans KR',sans-serif;max-width:46rem;margin:2.5rem auto;padding:0 1rem;line-height:1.5}\
     h1{font-size:1.4rem}h1 small{font-weight:400;opacity:.6}a{color:inherit;text-decoration:none}\
     article{border-bottom:1px solid var(--line)}article a{display:block;padding:.8rem .4rem}article a:hover{background:#8881}\
     .head{display:flex;gap:1rem;justify-content:space-between;font-size:.85rem;opacity:.7}\
     .start{opacity:.6;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-size:.9rem}\
     dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem}dt{opacity:.6}dd{margin:0}\
     iframe{width:100%;height:26rem;border:1px solid var(--line);border-radius:12px;background:#fff}\
     pre{white-space:pre-wrap;border:1px solid var(--line);border-radius:12px;padding:1rem}";

pub fn routes(app: &App) -> Router {
    Router::new().route("/mail", get(list)).route("/mail/{name}", get(letter)).with_state(app.clone())
}

async fn list(State(app): State<App>) -> Response {
    let Some(folder) = app.mail.folder().map(ToOwned::to_owned) else {
        return elsewhere();
    };
    let newest = move || read::newest(&folder).map(|letters| letters.take(MOST).collect::<Vec<_>>());
    let Ok(Ok(letters)) = tokio::task::spawn_blocking(newest).await else {
        return unreadable();
    };
    let zone = app.config.time.zone;
    page(&html! {
        h1 { "보낸 메일 " small { "mail that was sent" } }
        @if letters.is_empty() { p { "아직 없습니다. Nothing yet." } }
        @for letter in &letters {
            article {
                a href={ "/mail/" (letter.name) } {
                    div class="head" { time { (time(letter, zone)) } span { "→ " (letter.to) } }
                    strong { (letter.subject) }
                    div class="start" { (start(letter)) }
                }
            }
        }
    })
}

async fn letter(State(app): State<App>, Path(name): Path<String>) -> Response {
    let Some(folder) = app.mail.folder().map(ToOwned::to_owned) else {
        return elsewhere();
    };
    let Ok(Ok(found)) = tokio::task::spawn_blocking(move || read::one(&folder, &name)).await else {
        return unreadable();
    };
    let Some(letter) = found else {
        return (StatusCode::NOT_FOUND, "there is no such letter").into_response();
    };
    page(&html! {
        p { a href="/mail" { "← 보낸 메일 / all mail" } }
        h1 { (letter.subject) }
        dl {
            dt { "받는 사람 / to" } dd { (letter.to) }
            dt { "시각 / time" } dd { (time(&letter, app.config.time.zone)) }
        }
        iframe sandbox="" title="HTML" srcdoc=(letter.html) {}
        h2 { "텍스트 / text" }
        pre { (letter.text) }
    })
}

fn page(body: &Markup) -> Response {
    let whole = html! {
        (DOCTYPE)
        html lang="ko" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "메일 · 소극장" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], whole).into_response()
}

fn time(letter: &Shown, zone: Tz) -> String {
    letter.sent_at.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// What the text says after its title, on one line.
fn start(letter: &Shown) -> String {
    letter.text.split("\n\n").skip(1).collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn elsewhere() -> Response {
    (StatusCode::NOT_FOUND, "letters go to a mail server: there is no folder to show").into_response()
}

fn unreadable() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "the mail folder cannot be read").into_response()
}
