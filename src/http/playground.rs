//! The playground: GraphiQL, from the binary itself.
//!
//! Owns the addresses `/playground` and `/playground/{asset}`. The page never asks another host for anything; its
//! content security policy forbids it. Where the files come from: `assets/playground/README.md`.
//!
//! Read next: [`assets`] for how a file is served, [`mod@examples`] for the documents that the page opens with.

mod assets;
mod examples;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;

pub use examples::{Example, examples};

/// Scripts and workers from here only, no `eval`. Monaco writes its styles into the page and carries its icon font as
/// a `data:` address. Sent with every file, because a worker obeys the policy that came with its own script.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes `/playground` and `/playground/{asset}`.
pub fn routes() -> Router {
    Router::new().route("/playground", get(page)).route("/playground/{asset}", get(assets::asset))
}

async fn page() -> Response {
    let headers =
        [(CONTENT_SECURITY_POLICY, CONTENT_POLICY), (REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-cache")];
    (headers, Html(render().into_string())).into_response()
}

fn render() -> Markup {
    html! {
        (DOCTYPE)
        html lang="ko" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Spotlight Space · playground" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/playground/graphiql.css";
                link rel="stylesheet" href="/playground/page.css";
            }
            body {
                header id="bar" {
                    strong { "Spotlight Space" }
                    span id="who" {}
                    button id="sign-out" type="button" hidden { "토큰 버리기 · forget the token" }
                    a id="pay" href="" hidden { "결제하기 · pay →" }
                    span id="outcome" {}
                    span id="known" {}
                    button id="restore" type="button" { "예제 되돌리기 · restore the examples" }
                }
                main id="graphiql" { noscript { "The playground needs JavaScript; the API at /graphql does not." } }
                script type="application/json" id="examples" { (examples_json()) }
                script defer src="/playground/graphiql.js" {}
                script defer src="/playground/page.js" {}
            }
        }
    }
}

/// A data block in the page, in which nothing may look like the end of a script.
fn examples_json() -> PreEscaped<String> {
    let all: Vec<_> =
        examples().iter().map(|e| json!({ "document": e.document, "variables": e.variables.trim_end() })).collect();
    PreEscaped(json!(all).to_string().replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (Response<()>, Vec<u8>) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (Response::from_parts(parts, ()), body.collect().await.unwrap().to_bytes().to_vec())
    }

    fn header<'a>(response: &'a Response<()>, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn the_page_and_every_file_that_it_names_are_there_and_under_the_policy() {
        let (response, body) = ask("/playground", &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(header(&response, "content-security-policy").contains("default-src 'none'"));
        let page = String::from_utf8(body).unwrap();
        let named: Vec<_> = page.split('"').filter(|word| word.starts_with("/playground/")).collect();
        assert_eq!(named.len(), 4, "{named:?}");
        let workers = ["editor", "graphql", "json"].map(|name| format!("/playground/{name}.worker.js"));
        for path in named.into_iter().chain(workers.iter().map(String::as_str)) {
            let (response, body) = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(!body.is_empty(), "{path}");
            assert!(header(&response, "content-security-policy").contains("default-src 'none'"), "{path}");
        }
    }

    #[tokio::test]
    async fn a_client_without_gzip_gets_the_same_file_inflated() {
        let (packed, gzip) = ask("/playground/json.worker.js", &[("accept-encoding", "br, gzip")]).await;
        let (plain, text) = ask("/playground/json.worker.js", &[("accept-encoding", "gzip;q=0, identity")]).await;
        assert_eq!(header(&packed, "content-encoding"), "gzip");
        assert_eq!(header(&plain, "content-encoding"), "");
        let mut inflated = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.as_slice()), &mut inflated).unwrap();
        assert_eq!(inflated, text);
    }

    #[tokio::test]
    async fn a_browser_that_has_the_file_is_not_sent_it_again() {
        let (first, _) = ask("/playground/graphiql.js", &[]).await;
        let (second, body) = ask("/playground/graphiql.js", &[("if-none-match", header(&first, "etag"))]).await;
        assert_eq!((second.status(), body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(header(&second, "etag"), header(&first, "etag"));
    }

    #[tokio::test]
    async fn an_unknown_file_is_not_found() {
        assert_eq!(ask("/playground/..%2fCargo.toml", &[]).await.0.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn an_example_cannot_close_the_data_block() {
        assert!(!examples_json().0.contains('<'));
    }
}
