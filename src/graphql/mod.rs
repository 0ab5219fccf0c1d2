//! The schema: its roots are merged here from the domains, its conventions are in the files beside.
//!
//! A resolver parses, calls one use case and converts. Two doors lead out (`door`): what a person can mend becomes a
//! payload's `userErrors`, everything else a top-level error.

pub mod ctx;
pub mod door;
pub mod loaders;
pub mod node;
pub mod page;
pub mod rate_limit;
pub mod scalars;
pub mod upload;
pub mod user_error;

use crate::{admin, app::App, attachment, auth, booking, coupon, event, notification, payment, point, user};
use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder, ValidationMode};

/// Reads. Public things stand here; what is private stands behind `viewer`.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    user::graphql::ViewerQuery,
    admin::graphql::AdminQuery,
    event::graphql_query::EventQuery,
    coupon::graphql::CouponQuery,
    rate_limit::RateLimitQuery,
);

/// Writes. Each takes one `input` and answers a payload with `userErrors`.
#[derive(MergedObject, Default)]
pub struct Mutation(
    auth::graphql::AuthMutation,
    auth::social::graphql::SocialMutation,
    user::graphql_profile::AccountMutation,
    admin::graphql::AdminMutation,
    admin::graphql_mutation::AdminKeepingMutation,
    admin::graphql_decide::AdminDecidingMutation,
    admin::graphql_totp::AdminAccountMutation,
    event::graphql_mutation::EventMutation,
    booking::graphql_mutation::BookingMutation,
    payment::graphql::PaymentMutation,
    point::graphql::PointMutation,
    coupon::graphql_mutation::CouponMutation,
    attachment::graphql::AttachmentMutation,
    notification::graphql::NotificationMutation,
);

/// Live streams, over SSE and WebSocket.
#[derive(MergedSubscription, Default)]
pub struct Subscription(notification::graphql::NotificationSubscription);

/// The schema that the server executes.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription::default())
}

/// The schema over a running product.
pub fn schema(app: App) -> Schema {
    over(app).finish()
}

/// The same for documents that have passed validation, with variables that are right: it checks little.
pub fn trusting_schema(app: App) -> Schema {
    over(app).validation_mode(ValidationMode::Fast).finish()
}

fn over(app: App) -> SchemaBuilder<Query, Mutation, Subscription> {
    // How large a document may be is the edge's to say, before the engine sees it. Names that were not asked for are
    // suggested only where the schema is open.
    let builder = if app.config.is_production() { builder().disable_suggestions() } else { builder() };
    builder.data(app).limit_recursive_depth(60)
}

/// The schema as text: what `schema.graphql` holds.
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}
