//! The schema: its roots are merged here from the domains, its conventions are in the files beside.
//!
//! A resolver parses, calls one use case and converts. Two doors lead out (`door`): what a person can mend becomes a
//! payload's `userErrors`, everything else a top-level error.

pub mod ctx;
pub mod door;
pub mod loaders;
pub mod node;
pub mod page;
pub mod scalars;
pub mod upload;
pub mod user_error;

use crate::{app::App, attachment, auth, booking, event, notification, payment, user};
use async_graphql::{MergedObject, MergedSubscription, SchemaBuilder};

/// Reads. Public things stand here; what is private stands behind `viewer`.
#[derive(MergedObject, Default)]
pub struct Query(node::NodeQuery, user::graphql::ViewerQuery, event::graphql::EventQuery);

/// Writes. Each takes one `input` and answers a payload with `userErrors`.
#[derive(MergedObject, Default)]
pub struct Mutation(
    auth::graphql::AuthMutation,
    event::graphql_mutation::EventMutation,
    booking::graphql_mutation::BookingMutation,
    payment::graphql::PaymentMutation,
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
    // The standard introspection query is 15 deep, and the playground sends it.
    builder().data(app).limit_depth(16).limit_complexity(5_000).limit_recursive_depth(40).finish()
}

/// The schema as text: what `schema.graphql` holds.
pub fn sdl() -> String {
    builder().finish().sdl()
}
