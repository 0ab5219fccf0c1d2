//! `signOut`, and the same for browsers with a cookie: this session, or all of this person's.

use super::session::{self, Shown};
use crate::{
    app::App,
    error::{Error, Result},
    user::viewer::Viewer,
};
use chrono::{DateTime, Utc};

/// Ends this session, or all of this person's.
pub async fn sign_out(app: &App, viewer: &Viewer, everywhere: bool) -> Result<()> {
    let (Some(holder), Some(token)) = (viewer.account(), viewer.token()) else { return Err(Error::Unauthenticated) };
    end_in_order(app, holder, everywhere, token.family.clone(), Some(token.expires_at)).await
}

/// Ends the session of an access token and of a refresh token, as far as each is shown and good.
///
/// # Errors
/// `Unauthenticated` if all were to end and neither token proved whose.
pub async fn sign_out_shown(app: &App, access: Option<&str>, refresh: Option<&str>, everywhere: bool) -> Result<()> {
    // Before the family ends, and this token with it.
    let viewer = match access {
        Some(token) => still_admitted(app, token).await?,
        None => None,
    };
    let mut is_proven = !everywhere || viewer.is_some();
    let shown = match refresh {
        Some(token) => session::holder_of(app, token).await?,
        None => None,
    };
    // First, since it may be the one that proves it.
    if let Some(viewer) = viewer {
        sign_out(app, &viewer, everywhere).await?;
    }
    if let Some(Shown { family, holder, is_present }) = shown {
        // One that is not the present one is reuse, here as well: the family ends, and the holder is not proven.
        is_proven |= is_present;
        end_in_order(app, holder, everywhere && is_present, family, None).await?;
    }
    if is_proven { Ok(()) } else { Err(Error::Unauthenticated) }
}

/// `None` for a token that is over already.
async fn still_admitted(app: &App, token: &str) -> Result<Option<Viewer>> {
    match session::admit(app, token).await {
        Ok(viewer) => Ok(Some(viewer)),
        Err(Error::Unauthenticated) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The widest first, and what asked last, which is an access token that runs out at `asking`, or else the refresh token: as
/// long as anything is left to end, it can ask again. Whole, though the client hangs up.
async fn end_in_order(
    app: &App,
    holder: String,
    everywhere: bool,
    family: String,
    asking: Option<DateTime<Utc>>,
) -> Result<()> {
    let ending = app.clone();
    app.outlive(async move {
        if everywhere {
            session::end_all(&ending, &holder).await?;
        }
        session::end_family(&ending, &holder, &family, asking).await
    })
    .await
}
