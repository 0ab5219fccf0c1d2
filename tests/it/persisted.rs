//! Persisted documents: who pays for them, and how many there may be.

use crate::harness::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

crate::scenarios![a_document_that_was_refused_is_not_kept, new_documents_are_bounded, a_document_is_kept_for_a_day];

fn hash(document: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(document))
}

/// With its text.
async fn send(app: &TestApp, url: &str, document: &str) -> Value {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(document) } });
    let body = json!({ "query": document, "extensions": extensions });
    app.http.post(format!("{url}/graphql")).json(&body).send().await.unwrap().json().await.unwrap()
}

async fn is_kept(app: &TestApp, document: &str) -> bool {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(document) } });
    let request = app.http.post(format!("{}/graphql", app.url)).json(&json!({ "extensions": extensions }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["errors"][0]["extensions"]["code"] != "PERSISTED_QUERY_NOT_FOUND"
}

async fn a_document_that_was_refused_is_not_kept(app: TestApp) {
    let invalid = "{ nothingOfOurs }";
    assert_eq!(send(&app, &app.url, invalid).await["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert!(!is_kept(&app, invalid).await);
    let poor = app.node("poor", |config| config.edge.budget.capacity = 1).await;
    let dear = "{ events(first: 20) { nodes { id title } } }";
    assert_eq!(send(&app, &poor.url, dear).await["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert!(!is_kept(&app, dear).await);
    assert!(send(&app, &app.url, dear).await["data"]["events"].is_object());
    assert!(is_kept(&app, dear).await);
    poor.stop().await;
}

async fn new_documents_are_bounded(app: TestApp) {
    let node = app.node("strict", |config| config.edge.documents_per_hour = 2).await;
    let documents = ["{ a: __typename }", "{ b: __typename }", "{ c: __typename }"];
    for (document, kept) in documents.into_iter().zip([true, true, false]) {
        for _ in 0..3 {
            assert!(send(&app, &node.url, document).await["data"].is_object(), "it runs in any case");
        }
        assert_eq!(is_kept(&app, document).await, kept, "{document}");
    }
    app.pass(TimeDelta::hours(1)).await;
    send(&app, &node.url, documents[2]).await;
    assert!(is_kept(&app, documents[2]).await);
    node.stop().await;
}

async fn a_document_is_kept_for_a_day(app: TestApp) {
    let document = "{ __typename }";
    send(&app, &app.url, document).await;
    app.pass(TimeDelta::hours(23)).await;
    assert!(is_kept(&app, document).await);
    app.pass(TimeDelta::hours(1)).await;
    assert!(!is_kept(&app, document).await);
}
