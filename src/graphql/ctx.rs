//! What a resolver can ask of its request.

use super::{loaders::Loaders, upload::Uploads};
use crate::{
    app::App,
    error::Result,
    language::Language,
    user::viewer::{Artist, Buyer, Viewer},
};
use async_graphql::Context;
use std::net::IpAddr;

/// What is known of the request besides who is asking.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub language: Language,
    pub address: Option<IpAddr>,
    /// The last event that a returning stream saw (`Last-Event-ID`).
    pub last_event_id: Option<String>,
}

/// Shorthands on the context. The data is put there for every request by `http`.
pub trait Ctx {
    fn app(&self) -> &App;
    fn viewer(&self) -> &Viewer;
    fn request(&self) -> &Request;
    fn loaders(&self) -> &Loaders;
    /// The files that came with the request.
    fn uploads(&self) -> &Uploads;

    fn language(&self) -> Language {
        self.request().language
    }

    fn buyer(&self) -> Result<Buyer> {
        self.viewer().buyer()
    }

    fn artist(&self) -> Result<Artist> {
        self.viewer().artist()
    }
}

impl Ctx for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked()
    }
    fn viewer(&self) -> &Viewer {
        self.data_unchecked()
    }
    fn request(&self) -> &Request {
        self.data_unchecked()
    }
    fn loaders(&self) -> &Loaders {
        self.data_unchecked()
    }
    fn uploads(&self) -> &Uploads {
        self.data_unchecked()
    }
}
