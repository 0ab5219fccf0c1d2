//! Attachments as the API shows and changes them.

use super::{delete, model::Owner, query, reorder, upload};
use crate::{
    error::{Error, Result},
    graphql::{
        ctx::Ctx,
        door::answer,
        loaders::{Batch, Shared, failed},
        upload::Upload,
    },
    payload,
};
use async_graphql::{Context, ID, InputObject, Object, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{attachment::Model, ids::AttachmentId};
use std::{collections::HashMap, sync::Arc};

/// A file of a person, an event or a review.
#[derive(Clone, Debug)]
pub struct AttachmentNode(pub Model);

/// A file of a person, an event or a review.
#[Object(name = "Attachment")]
impl AttachmentNode {
    /// `att_…`
    pub async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// Where the file is. It never changes; after the attachment was deleted there is nothing any more.
    async fn url(&self, ctx: &Context<'_>) -> String {
        format!("{}/objects/{}", ctx.app().config.public_url(), self.0.object_key)
    }
    /// `image/jpeg`, `image/png`, `image/webp`, `image/gif` or `application/pdf`, as its content says.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }
    /// In bytes, at most 10 MiB.
    async fn byte_size(&self) -> i32 {
        i32::try_from(self.0.byte_size).unwrap_or(i32::MAX)
    }
    /// When it was uploaded.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

impl Loader<Owner> for Batch {
    type Value = Vec<AttachmentNode>;
    type Error = Shared;

    async fn load(&self, keys: &[Owner]) -> Result<HashMap<Owner, Self::Value>, Shared> {
        let rows = query::of_all(self.0.db.reads(), keys).await.map_err(Arc::new)?;
        let mut found: HashMap<Owner, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(Owner::of(&row)).or_default().push(AttachmentNode(row));
        }
        Ok(found)
    }
}

/// An owner's files, in its order.
pub async fn attachments(ctx: &Context<'_>, owner: Owner) -> async_graphql::Result<Vec<AttachmentNode>> {
    let found = ctx.loaders().load_one(owner).await;
    found.map(Option::unwrap_or_default).map_err(|error| failed(&error))
}

/// A file, and whose it is to be.
#[derive(InputObject)]
pub struct AttachmentUploadInput {
    /// One's own event or review, or oneself: then it is the avatar.
    pub owner_id: ID,
    /// JPEG, PNG, WebP, GIF, and PDF for events; at most 10 MiB. Where a picture was taken is removed from it.
    pub file: Upload,
}

/// Which file.
#[derive(InputObject)]
pub struct AttachmentDeleteInput {
    /// `att_…`
    pub attachment_id: ID,
}

/// An order of files.
#[derive(InputObject)]
pub struct AttachmentReorderInput {
    /// One's own event or review.
    pub owner_id: ID,
    /// Each of its attachments, once, in the new order.
    pub attachment_ids: Vec<ID>,
}

payload! {
    /// The new attachment.
    AttachmentUploadPayload {
        /// The last of its owner's.
        attachment: AttachmentNode,
    }
}

payload! {
    /// The deleted attachment.
    AttachmentDeletePayload {
        /// The id that it had.
        deleted_attachment_id: ID,
    }
}

payload! {
    /// The attachments in their new order.
    AttachmentReorderPayload {
        /// All of the owner's.
        attachments: Vec<AttachmentNode>,
    }
}

#[derive(Default)]
pub struct AttachmentMutation;

#[Object]
impl AttachmentMutation {
    /// Adds a file behind the others, at most 10. An avatar takes the place of the one before. Sent as a GraphQL
    /// multipart request with the header `GraphQL-Require-Preflight`.
    async fn attachment_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and what it is for.")] input: AttachmentUploadInput,
    ) -> async_graphql::Result<AttachmentUploadPayload> {
        answer(ctx, attachment_upload(ctx, input).await)
    }

    /// Deletes a file of one's own.
    async fn attachment_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which file.")] input: AttachmentDeleteInput,
    ) -> async_graphql::Result<AttachmentDeletePayload> {
        answer(ctx, attachment_delete(ctx, input).await)
    }

    /// Puts one's own files into another order.
    async fn attachment_reorder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All the files of their owner, in the new order.")] input: AttachmentReorderInput,
    ) -> async_graphql::Result<AttachmentReorderPayload> {
        answer(ctx, attachment_reorder(ctx, input).await)
    }
}

fn owner(id: &ID) -> Result<Owner> {
    Owner::parse(id).ok_or_else(|| Error::not_found(&["ownerId"]))
}

async fn attachment_upload(ctx: &Context<'_>, input: AttachmentUploadInput) -> Result<AttachmentUploadPayload> {
    let (buyer, owner) = (ctx.buyer()?, owner(&input.owner_id)?);
    let file = input.file.file(ctx, &["file"])?;
    let app = ctx.app().clone();
    let row = ctx.app().outlive(async move { upload::upload(&app, buyer, owner, file).await }).await?;
    Ok(AttachmentUploadPayload { attachment: Some(AttachmentNode(row)), user_errors: Vec::new() })
}

async fn attachment_delete(ctx: &Context<'_>, input: AttachmentDeleteInput) -> Result<AttachmentDeletePayload> {
    let buyer = ctx.buyer()?;
    let id = input.attachment_id.parse().map_err(|_| Error::not_found(&["attachmentId"]))?;
    delete::delete(ctx.app(), buyer, id).await?;
    Ok(AttachmentDeletePayload { deleted_attachment_id: Some(input.attachment_id), user_errors: Vec::new() })
}

async fn attachment_reorder(ctx: &Context<'_>, input: AttachmentReorderInput) -> Result<AttachmentReorderPayload> {
    let (buyer, owner) = (ctx.buyer()?, owner(&input.owner_id)?);
    let one = |(index, id): (usize, &ID)| -> Result<AttachmentId> {
        id.parse().map_err(|_| Error::not_found(&["attachmentIds", &index.to_string()]))
    };
    let order: Vec<AttachmentId> = input.attachment_ids.iter().enumerate().map(one).collect::<Result<_>>()?;
    let rows = reorder::reorder(ctx.app(), buyer, owner, &order).await?;
    let attachments = rows.into_iter().map(AttachmentNode).collect();
    Ok(AttachmentReorderPayload { attachments: Some(attachments), user_errors: Vec::new() })
}
