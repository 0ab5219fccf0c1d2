//! Bookings, tickets and payments.

use crate::build::{Build, Columns};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        booking(&build).await?;
        booking_line(&build).await?;
        ticket(&build).await?;
        idempotency_key(&build).await?;
        payment(&build).await?;
        payment_event(&build).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let build = Build::on(manager);
        build.drop("payment_event").await?;
        build.drop("payment").await?;
        build.drop("idempotency_key").await?;
        build.drop("ticket").await?;
        build.drop("booking_line").await?;
        build.drop("booking").await?;
        Ok(())
    }
}

async fn booking(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("booking");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.uuid("event_id").not_null())
        .col(c.string("status", 24).not_null())
        .col(c.big("original_amount").not_null())
        .col(c.big("coupon_discount").not_null())
        .col(c.big("points_used").not_null())
        .col(c.big("amount_due").not_null())
        .col(c.uuid("user_coupon_id").null())
        .col(c.time("expires_at").null())
        .col(c.string("cancel_reason", 200).null())
        .col(c.time("created_at").not_null())
        .col(c.time("confirmed_at").null())
        .col(c.time("closed_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "booking", "user_id", "user");
    build.references(&mut table, "booking", "event_id", "event");
    build.references(&mut table, "booking", "user_coupon_id", "user_coupon");
    table.check(Expr::cust("original_amount >= 0"));
    table.check(Expr::cust("amount_due >= 0"));
    table.check(Expr::cust("points_used >= 0"));
    table.check(Expr::cust("coupon_discount >= 0"));
    build.create(table).await?;
    // A fan's bookings, newest first.
    build.index("booking_user", "booking", &["user_id", "created_at", "id"]).await?;
    // An event's holders: reminders, bulk refund, settlement.
    build.index("booking_event", "booking", &["event_id", "status", "id"]).await?;
    // Which booking holds a coupon.
    build.index("booking_coupon", "booking", &["user_coupon_id"]).await?;
    Ok(())
}

async fn booking_line(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("booking_line");
    table
        .col(c.uuid("booking_id").not_null())
        .col(c.uuid("ticket_type_id").not_null())
        .col(c.big("unit_price").not_null())
        .col(c.int("quantity").not_null())
        .primary_key(Index::create().col("booking_id").col("ticket_type_id"));
    build.references(&mut table, "booking_line", "booking_id", "booking");
    build.references(&mut table, "booking_line", "ticket_type_id", "ticket_type");
    table.check(Expr::cust("quantity > 0"));
    build.create(table).await?;
    // The seat invariant: sold + held + left = capacity.
    build.index("booking_line_type", "booking_line", &["ticket_type_id"]).await?;
    Ok(())
}

async fn ticket(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("ticket");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("booking_id").not_null())
        .col(c.uuid("event_id").not_null())
        .col(c.uuid("ticket_type_id").not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.string("code", 32).not_null())
        .col(c.string("status", 24).not_null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "ticket", "booking_id", "booking");
    build.references(&mut table, "ticket", "ticket_type_id", "ticket_type");
    build.create(table).await?;
    // The door.
    build.unique("ticket_code", "ticket", &["code"]).await?;
    // A booking's tickets.
    build.index("ticket_booking", "ticket", &["booking_id"]).await?;
    // A fan's tickets, newest first.
    build.index("ticket_user", "ticket", &["user_id", "created_at", "id"]).await?;
    // Who is reminded, who may review.
    build.index("ticket_event", "ticket", &["event_id", "status", "user_id"]).await?;
    Ok(())
}

async fn idempotency_key(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("idempotency_key");
    table
        .col(c.uuid("user_id").not_null())
        .col(c.string("key", 128).not_null())
        .col(c.string("operation", 40).not_null())
        .col(c.string("input_hash", 64).not_null())
        .col(c.string("answer", 60).not_null())
        .col(c.time("created_at").not_null())
        .primary_key(Index::create().col("user_id").col("key"));
    build.create(table).await?;
    Ok(())
}

async fn payment(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("payment");
    table
        .col(c.uuid("id").not_null())
        .col(c.string("purpose", 24).not_null())
        .col(c.uuid("user_id").not_null())
        .col(c.uuid("booking_id").null())
        .col(c.string("status", 24).not_null())
        .col(c.big("amount").not_null())
        .col(c.big("canceled_amount").not_null())
        .col(c.string("tid", 40).null())
        .col(c.string("pc_url", 500).null())
        .col(c.string("mobile_url", 500).null())
        .col(c.string("app_url", 500).null())
        .col(c.string("return_url", 500).null())
        .col(c.string("failure", 300).null())
        .col(c.time("created_at").not_null())
        .col(c.time("changed_at").not_null())
        .col(c.time("approved_at").null())
        .col(c.time("canceled_at").null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "payment", "user_id", "user");
    build.references(&mut table, "payment", "booking_id", "booking");
    table.check(Expr::cust("amount > 0"));
    table.check(Expr::cust("canceled_amount >= 0"));
    build.create(table).await?;
    // One row for each payment of the provider.
    build.unique("payment_tid", "payment", &["tid"]).await?;
    // A booking's payment.
    build.index("payment_booking", "payment", &["booking_id"]).await?;
    // A fan's payments, newest first.
    build.index("payment_user", "payment", &["user_id", "created_at", "id"]).await?;
    // What is in doubt: the reconciler and the admin.
    build.index("payment_status", "payment", &["status", "changed_at"]).await?;
    Ok(())
}

async fn payment_event(build: &Build<'_>) -> Result<(), DbErr> {
    let c = Columns::of(build);
    let mut table = build.table("payment_event");
    table
        .col(c.uuid("id").not_null())
        .col(c.uuid("payment_id").not_null())
        .col(c.time("at").not_null())
        .col(c.string("step", 40).not_null())
        .col(c.text("detail").not_null())
        .primary_key(Index::create().col("id"));
    build.references(&mut table, "payment_event", "payment_id", "payment");
    build.create(table).await?;
    // The story of one payment.
    build.index("payment_event_payment", "payment_event", &["payment_id", "at"]).await?;
    Ok(())
}
