//! The first page: where things are.

use crate::app::App;
use axum::extract::State;
use maud::{DOCTYPE, Markup, html};

pub async fn home(State(app): State<App>) -> Markup {
    let is_open = !app.config.is_production();
    html! {
        (DOCTYPE)
        html lang="ko" {
            head { meta charset="utf-8"; title { "소극장 Spotlight Space" } style { "body{font-family:system-ui;max-width:40rem;margin:4rem auto;line-height:1.7}" } }
            body {
                h1 { "소극장 " small { "Spotlight Space" } }
                ul {
                    @if is_open {
                        li { a href="/playground" { "/playground" } " — GraphQL" }
                    }
                    @if app.config.shows_mail() {
                        li { a href="/mail" { "/mail" } " — 보낸 메일 / mail that was sent" }
                    }
                    li { code { "/graphql" } " — HTTP, SSE, WebSocket" }
                    li { a href="/healthz" { "/healthz" } ", " a href="/readyz" { "/readyz" } }
                }
            }
        }
    }
}
