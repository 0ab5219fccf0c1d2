//! Recovery codes: ten, each good once; only their hashes are kept.

use crate::{error::Result, infra::ids::Ids};
use entity::{
    admin_recovery_code::{ActiveModel, Column, Entity, Model},
    ids::AdminId,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use sha2::{Digest, Sha256};

const COUNT: usize = 10;

/// Replaces whatever codes there were. The new ones, as they are shown, once.
pub async fn replace(txn: &impl ConnectionTrait, admin_id: AdminId, codes: &[String]) -> Result<()> {
    remove(txn, admin_id).await?;
    let rows = codes.iter().map(|code| ActiveModel::from(Model { admin_id, code_hash: hash(code) }).reset_all());
    Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}

/// `ABCDE-FGHJK-LMNPQ-RSTUV`, without look-alikes.
pub fn fresh(ids: &Ids) -> Vec<String> {
    let grouped = |code: String| {
        let mut shown = String::new();
        for (place, letter) in code.chars().enumerate() {
            if place > 0 && place % 5 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    };
    (0..COUNT).map(|_| grouped(ids.code())).collect()
}

/// True if it was one: of two that come at once, one removes the row.
pub async fn redeem(txn: &impl ConnectionTrait, admin_id: AdminId, code: &str) -> Result<bool> {
    Ok(Entity::delete_by_id((admin_id, hash(code))).exec(txn).await?.rows_affected == 1)
}

pub async fn remove(txn: &impl ConnectionTrait, admin_id: AdminId) -> Result<()> {
    Entity::delete_many().filter(Column::AdminId.eq(admin_id)).exec(txn).await?;
    Ok(())
}

pub async fn count(db: &impl ConnectionTrait, admin_id: AdminId) -> Result<u64> {
    Ok(Entity::find().filter(Column::AdminId.eq(admin_id)).count(db).await?)
}

/// However it was typed.
fn hash(code: &str) -> String {
    let bare: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    data_encoding::HEXLOWER.encode(&Sha256::digest(bare.as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(super::hash("abcde fghjk-lmnpq-rstuv "), super::hash("ABCDE-FGHJK-LMNPQ-RSTUV"));
        assert_ne!(super::hash("ABCDE-FGHJK-LMNPQ-RSTUV"), super::hash("ABCDE-FGHJK-LMNPQ-RSTUW"));
    }
}
