//! The sandbox Kakao and Naver: the same HTTP APIs, a page on which a person says who they are, and faults. Its state is
//! kept in the key-value store. Whoever opens the page is whoever they say: it is never mounted in production.
//!
//! Read `page` next for what a browser sees, `kakao` and `naver` for what the server is told, `store` for what is kept.

mod fault;
mod kakao;
mod naver;
mod page;
mod press;
mod store;

use crate::infra::{ids::Ids, kv::Kv};
use axum::{
    Router,
    routing::{get, post},
};
use entity::enums::SocialProvider;
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

/// Where the two are mounted.
pub const KAKAO: &str = "/sandbox/kakao";
pub const NAVER: &str = "/sandbox/naver";

#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    provider: SocialProvider,
    client_id: String,
    client_secret: SecretString,
    admin_key: SecretString,
    /// Longer than the client waits.
    too_long: Duration,
    config: crate::config::Config,
    kv: Kv,
    ids: Ids,
}

impl Sandbox {
    pub fn of(app: &crate::app::App, provider: SocialProvider) -> Self {
        let (kakao, naver) = (&app.config.social.kakao, &app.config.social.naver);
        let (client_id, client_secret, seconds) = match provider {
            SocialProvider::Kakao => (&kakao.client_id, &kakao.client_secret, kakao.timeout_seconds),
            SocialProvider::Naver => (&naver.client_id, &naver.client_secret, naver.timeout_seconds),
        };
        Self(Arc::new(Parts {
            provider,
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            admin_key: kakao.admin_key.clone(),
            too_long: Duration::from_secs(seconds + 30),
            config: app.config.clone(),
            kv: app.kv.clone(),
            ids: app.ids.clone(),
        }))
    }

    /// To be nested where the client's address points.
    pub fn router(self) -> Router {
        let router = match self.0.provider {
            SocialProvider::Kakao => Router::new()
                .route("/oauth/authorize", get(page::show).post(press::press))
                .route("/oauth/token", post(kakao::token))
                .route("/v2/user/me", get(kakao::me).post(kakao::me))
                .route("/v1/user/unlink", post(kakao::unlink))
                .route("/unlinked", get(page::show_unlink).post(press::unlink)),
            SocialProvider::Naver => Router::new()
                .route("/oauth2.0/authorize", get(page::show).post(press::press))
                .route("/oauth2.0/token", get(naver::token_by_query).post(naver::token))
                .route("/v1/nid/me", get(naver::me)),
        };
        router.with_state(self)
    }

    /// Its own address, as browsers know it.
    fn base(&self) -> String {
        let path = match self.0.provider {
            SocialProvider::Kakao => KAKAO,
            SocialProvider::Naver => NAVER,
        };
        format!("{}{path}", self.0.config.public_url())
    }

    fn is_kakao(&self) -> bool {
        self.0.provider == SocialProvider::Kakao
    }
}
