//! `attachmentUpload`: told by its content, cleaned, kept as an object, then named by a row.

use super::{
    clean,
    model::{self, Owner},
    owner::own,
    query, remove,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Problems, Result},
    infra::blob::{Key, Media, Spooled},
    transaction,
    user::viewer::Buyer,
};
use entity::attachment::{Entity, Model};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
use std::io::{self, Read};

const FILE: &[&str] = &["file"];
const OWNER: &[&str] = &["ownerId"];

/// Adds the file behind the owner's others; an avatar takes the place of the one before.
pub async fn upload(app: &App, buyer: Buyer, owner: Owner, file: Spooled) -> Result<Model> {
    let media = check(owner, &file).await?;
    let key = Key::new(&app.ids, media);
    transaction!(app, txn => {
        own(txn, buyer, owner, OWNER).await?;
        has_room(txn, owner).await?;
        remove::if_unused(txn, app, key.to_string()).await
    })?;
    let file = cleaned(app, media, file).await?;
    app.blob.put(&key, &file).await?;
    transaction!(app, txn => {
        own(txn, buyer, owner, OWNER).await?;
        let rows = has_room(txn, owner).await?;
        if let Owner::User(_) = owner {
            remove::all_of(txn, app, owner).await?;
        }
        let row = Model {
            id: app.ids.next(),
            owner_kind: owner.kind(),
            owner_id: owner.id(),
            position: rows.last().map_or(0, |last| last.position.saturating_add(1)),
            object_key: key.to_string(),
            content_type: media.content_type().to_owned(),
            byte_size: i64::try_from(file.byte_size()).unwrap_or(i64::MAX),
            created_at: app.clock.now(),
        };
        Entity::insert(row.clone().into_active_model().reset_all()).exec_without_returning(txn).await?;
        Ok(row)
    })
}

/// What can be refused by size and first bytes.
async fn check(owner: Owner, file: &Spooled) -> Result<Media> {
    let mut problems = Problems::default();
    problems.add_if(file.byte_size() > model::MOST_BYTES, || {
        let mebibytes = model::MOST_BYTES / 1024 / 1024;
        let ko = format!("파일은 {mebibytes}MB 이하여야 합니다.");
        Problem::new(Code::OutOfRange, FILE, ko, format!("A file may have at most {mebibytes} MB."))
    });
    problems.check()?;
    let mut reader = file.reader();
    let head = blocking(move || {
        let mut head = Vec::new();
        reader.by_ref().take(u64::try_from(model::HEAD).unwrap_or_default()).read_to_end(&mut head)?;
        Ok(head)
    });
    let head = head.await.map_err(spool_fault)?;
    model::told_by(&head).filter(|media| owner.takes(*media)).ok_or_else(|| unfit(owner).into())
}

fn unfit(owner: Owner) -> Problem {
    let (ko, en) = if owner.takes(Media::Pdf) {
        ("JPEG, PNG, WebP, GIF, PDF 파일만 올릴 수 있습니다.", "Only JPEG, PNG, WebP, GIF and PDF files are taken.")
    } else {
        ("JPEG, PNG, WebP, GIF 이미지만 올릴 수 있습니다.", "Only JPEG, PNG, WebP and GIF images are taken.")
    };
    Problem::new(Code::Invalid, FILE, ko, en)
}

/// The owner's files, if one more may come.
async fn has_room(txn: &impl ConnectionTrait, owner: Owner) -> Result<Vec<Model>> {
    let rows = query::of(txn, owner).await?;
    if rows.len() < owner.most() || matches!(owner, Owner::User(_)) {
        return Ok(rows);
    }
    let (ko, en) =
        (format!("파일은 {}개까지 올릴 수 있습니다.", owner.most()), format!("At most {} files.", owner.most()));
    Err(Problem::new(Code::LimitExceeded, OWNER, ko, en).into())
}

async fn cleaned(app: &App, media: Media, file: Spooled) -> Result<Spooled> {
    let spool = app.spool.clone();
    blocking(move || clean::clean(media, &file, spool.file()?)).await.map_err(|error| {
        if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
            return spool_fault(error);
        }
        Problem::new(Code::Invalid, FILE, "파일이 손상되었습니다.", "The file is damaged.").into()
    })
}

fn spool_fault(error: io::Error) -> Error {
    Error::fault(format!("spool: {error}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
