//! What is tried with passwords, codes and reset tokens: who counts it, and what it costs.

use crate::harness::{PASSWORD, TestApp};
use spotlight::auth::sign_in::sign_in as sign_in_from;

crate::scenarios![an_email_that_looks_like_another_counter_counts_for_nobody_else];

async fn an_email_that_looks_like_another_counter_counts_for_nobody_else(app: TestApp) {
    let person = app.fan("mina").await;
    let (home, away) = ("203.0.113.9".parse().ok(), "198.51.100.1".parse().ok());
    for typed in ["mina@example.kr 203.0.113.9", "203.0.113.9"] {
        for _ in 0..11 {
            sign_in_from(&app.app, typed, "Wrong-1234".to_owned(), away).await.unwrap_err();
        }
    }
    sign_in_from(&app.app, &person.email, PASSWORD.to_owned(), home).await.unwrap();
}
