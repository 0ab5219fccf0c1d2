//! `node` and `nodes`: any object by its id, through the same visibility check as the normal way.

use super::ctx::Ctx;
use crate::{
    app::App,
    attachment::graphql::AttachmentNode,
    booking::{
        self,
        graphql::{BookingNode, TicketNode},
    },
    error::{Code, Error, Problem, Result},
    event::{
        self,
        graphql::{EventNode, TicketTypeNode},
    },
    notification::graphql::NotificationNode,
    user::viewer::Viewer,
};
use async_graphql::{Context, ID, Interface, Object};

/// Something with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque, but for a prefix that names its type."))]
pub enum Node {
    Event(EventNode),
    TicketType(TicketTypeNode),
    Booking(BookingNode),
    Ticket(TicketNode),
    Notification(NotificationNode),
    Attachment(AttachmentNode),
}

/// The most that `nodes` takes at once.
const MOST: usize = 100;

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its id; null if there is none, or if it is not for the asker to see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of whatever type.")] id: ID,
    ) -> Option<async_graphql::Result<Node>> {
        match find(ctx.app(), ctx.viewer(), &id).await {
            Ok(found) => found.map(Ok),
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Several objects by their ids, in that order; null where `node` says null. At most 100.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of whatever types; at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        if ids.len() > MOST {
            let (ko, en) = (format!("한 번에 {MOST}개까지 찾을 수 있습니다."), format!("At most {MOST} at once."));
            return Err(Error::from(Problem::new(Code::OutOfRange, &["ids"], ko, en)).into());
        }
        let mut found = Vec::new();
        for id in &ids {
            found.push(find(ctx.app(), ctx.viewer(), id).await?);
        }
        Ok(found)
    }
}

async fn find(app: &App, viewer: &Viewer, id: &str) -> Result<Option<Node>> {
    let db = app.db.reads();
    let owner = viewer.member().map(|member| member.id);
    let prefix = id.split('_').next().unwrap_or_default();
    Ok(match (prefix, owner) {
        ("evt", _) => match id.parse() {
            Ok(id) => event::query::public(db, id).await?.map(|row| Node::Event(EventNode(row))),
            Err(_) => None,
        },
        ("ttp", _) => match id.parse() {
            Ok(id) => {
                let row = event::query::public_ticket_type(db, id).await?;
                row.map(|row| Node::TicketType(TicketTypeNode(row)))
            }
            Err(_) => None,
        },
        ("bkg", Some(owner)) => match id.parse() {
            Ok(id) => booking::query::of(db, owner, id).await?.map(|row| Node::Booking(BookingNode(row))),
            Err(_) => None,
        },
        ("tkt", Some(owner)) => match id.parse() {
            Ok(id) => booking::query::ticket_of(db, owner, id).await?.map(|row| Node::Ticket(TicketNode(row))),
            Err(_) => None,
        },
        ("ntf", Some(owner)) => match id.parse() {
            Ok(id) => {
                let row = crate::notification::query::of(db, owner, id).await?;
                row.map(|row| Node::Notification(NotificationNode(row)))
            }
            Err(_) => None,
        },
        ("att", _) => match id.parse() {
            Ok(id) => crate::attachment::query::by_id(db, id).await?.map(|row| Node::Attachment(AttachmentNode(row))),
            Err(_) => None,
        },
        _ => None,
    })
}
