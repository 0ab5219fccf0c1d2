//! What a resolver can ask of its request.

use super::{loaders::Loaders, upload::Uploads};
use crate::{
    app::App,
    error::{Error, Result},
    language::Language,
    user::viewer::{Admin, Artist, Buyer, Member, Viewer},
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
    pub charge: Charge,
}

/// What the operation was charged, and what its caller may still spend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Charge {
    pub cost: u64,
    pub remaining: u64,
    pub capacity: u64,
    pub per_second: u64,
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

    /// With the token: for what asks to be proven again.
    fn member(&self) -> Result<&Member> {
        self.buyer()?;
        self.viewer().member().ok_or(Error::Unauthenticated)
    }

    fn artist(&self) -> Result<Artist> {
        self.viewer().artist()
    }

    fn admin(&self) -> Result<Admin> {
        self.viewer().admin()
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
