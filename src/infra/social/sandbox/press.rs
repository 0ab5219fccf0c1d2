//! What the buttons do.

use super::{
    Sandbox,
    fault::Fault,
    page::{Asked, PEOPLE, page},
    store::{Grant, Person, broken},
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

#[derive(Debug, Deserialize)]
pub struct Pressed {
    #[serde(default)]
    press: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    state: String,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    #[serde(default)]
    person: String,
    #[serde(default)]
    nickname: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    fault: Fault,
}

impl Pressed {
    fn asked(&self) -> Asked {
        Asked {
            response_type: self.response_type.clone(),
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            code_challenge: self.code_challenge.clone(),
            code_challenge_method: self.code_challenge_method.clone(),
        }
    }

    fn person(&self) -> Person {
        let known = PEOPLE.iter().find(|(id, ..)| id.to_string() == self.person);
        let (id, nickname, email) = match known {
            Some((id, nickname, email)) => (*id, (*nickname).to_owned(), (*email).to_owned()),
            None => (own_id(&self.nickname, &self.email), self.nickname.clone(), self.email.clone()),
        };
        Person { id, nickname, email, fault: self.fault }
    }
}

/// The same person for the same words.
fn own_id(nickname: &str, email: &str) -> i64 {
    let digest = Sha256::digest(format!("{nickname}\n{email}").as_bytes());
    let number = digest.iter().take(6).fold(0_i64, |number, byte| number * 256 + i64::from(*byte));
    10_000 + number
}

pub async fn press(State(sandbox): State<Sandbox>, Form(pressed): Form<Pressed>) -> Response {
    let asked = pressed.asked();
    let back = Url::parse(&asked.redirect_uri).ok().filter(|_| sandbox.wrong(&asked).is_none());
    let Some(mut back) = back else { return StatusCode::BAD_REQUEST.into_response() };
    if pressed.press != "allow" {
        back.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "User denied access")
            .append_pair("state", &asked.state);
        return Redirect::to(back.as_str()).into_response();
    }
    let person = pressed.person();
    let id = person.id.to_string();
    let grant = Grant {
        person,
        redirect_uri: asked.redirect_uri,
        state: asked.state.clone(),
        // Naver takes no PKCE, and says nothing about it.
        challenge: asked.code_challenge.filter(|_| sandbox.is_kakao()),
    };
    // Who agrees is linked again.
    if let Err(error) = sandbox.forget_unlinked(&id).await {
        return broken(&error);
    }
    match sandbox.put_grant(&grant).await {
        Ok(code) => {
            back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
            Redirect::to(back.as_str()).into_response()
        }
        Err(error) => broken(&error),
    }
}

/// Sends what Kakao sends when somebody leaves us there.
pub async fn unlink(State(sandbox): State<Sandbox>, Form(pressed): Form<Pressed>) -> Response {
    let id = pressed.person().id.to_string();
    let said = send(&sandbox, &id).await;
    let (title, detail) = match said {
        Ok(status) => ("알림을 보냈습니다", format!("user_id {id}: HTTP {status}")),
        Err(error) => ("알림을 보내지 못했습니다", error.without_url().to_string()),
    };
    page(&sandbox, title, &html! { h1 { (title) } p { (detail) } }).into_response()
}

async fn send(sandbox: &Sandbox, id: &str) -> Result<u16, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build()?;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("app_id", "1"), ("user_id", id), ("referrer_type", "ACCOUNT_DELETE")])
        .finish();
    let answer = client
        .post(format!("{}{}", sandbox.0.config.public_url(), crate::http::KAKAO_UNLINKED))
        .header("authorization", format!("KakaoAK {}", sandbox.0.admin_key.expose_secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?;
    Ok(answer.status().as_u16())
}
