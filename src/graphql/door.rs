//! The two doors from a use case's failure to the client.

use super::{ctx::Ctx, user_error::UserError};
use crate::error::{Error, Fault};
use async_graphql::{Context, ErrorExtensions};

/// A mutation's answer, which can be a refusal.
pub trait Payload: Sized {
    fn refused(errors: Vec<UserError>) -> Self;
}

/// What a person can mend goes into the payload; everything else to the top.
pub fn answer<P: Payload>(ctx: &Context<'_>, result: Result<P, Error>) -> async_graphql::Result<P> {
    match result {
        Ok(payload) => Ok(payload),
        Err(Error::Refused(problems)) => {
            let language = ctx.language();
            Ok(P::refused(problems.into_iter().map(|problem| UserError::of(problem, language)).collect()))
        }
        Err(error) => Err(error.into()),
    }
}

impl From<Error> for async_graphql::Error {
    /// Logs a fault, once, and masks it.
    fn from(error: Error) -> Self {
        let mut retry_after = error.is_away().then_some(1);
        let (code, message) = match &error {
            Error::Refused(problems) => {
                let message =
                    problems.first().map_or_else(String::new, |p| format!("{}: {}", p.path.join("."), p.text.en));
                ("BAD_USER_INPUT", message)
            }
            Error::Unauthenticated => ("UNAUTHENTICATED", "Sign in first.".to_owned()),
            Error::Forbidden => ("FORBIDDEN", "You may not do this.".to_owned()),
            Error::Busy(wait) => {
                tracing::warn!(?wait, "busy");
                retry_after = Some(wait.as_secs().max(1));
                ("RATE_LIMITED", "Too many people want this in this moment. Nothing was changed; try again.".to_owned())
            }
            Error::Unavailable(what) => {
                tracing::warn!(what, "unavailable");
                ("INTERNAL_SERVER_ERROR", "Temporarily unavailable. Nothing was changed; try again.".to_owned())
            }
            Error::Fault(Fault::CommitInDoubt(why)) => {
                tracing::warn!(%why, "a commit is in doubt");
                let message = "The database went away: it may have been done. Ask again, with the same idempotencyKey if there is one.";
                ("INTERNAL_SERVER_ERROR", message.to_owned())
            }
            Error::Fault(Fault::StoreInDoubt(why)) => {
                tracing::warn!(%why, "a write is in doubt");
                let message = "Temporarily unavailable: it may have been done. Try again, with the same token.";
                ("INTERNAL_SERVER_ERROR", message.to_owned())
            }
            // Of several writes, the first may have been made.
            Error::Fault(Fault::Kv(why)) => {
                tracing::warn!(%why, "unavailable");
                ("INTERNAL_SERVER_ERROR", "Temporarily unavailable; try again.".to_owned())
            }
            Error::Fault(fault) if error.is_away() => {
                tracing::warn!(%fault, "unavailable");
                ("INTERNAL_SERVER_ERROR", "Temporarily unavailable. Nothing was changed; try again.".to_owned())
            }
            Error::Fault(fault) => {
                tracing::error!(error = %fault, "fault");
                ("INTERNAL_SERVER_ERROR", "Something went wrong on our side.".to_owned())
            }
        };
        Self::new(message).extend_with(|_, extensions| {
            extensions.set("code", code);
            if let Some(seconds) = retry_after {
                extensions.set("retryAfter", seconds);
            }
        })
    }
}

/// Declares a mutation's payload: nullable objects, and `userErrors`.
#[macro_export]
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What the caller can mend; empty if it was done.
            pub user_errors: Vec<$crate::graphql::user_error::UserError>,
        }

        impl $crate::graphql::door::Payload for $name {
            fn refused(user_errors: Vec<$crate::graphql::user_error::UserError>) -> Self {
                Self { $($field: None,)* user_errors }
            }
        }
    };
}
