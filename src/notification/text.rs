//! The sentences, in both languages: pure.

use super::store::Facts;
use crate::error::Text;
use chrono_tz::Tz;
use entity::enums::NotificationKind;

/// A title and a body.
pub fn text(kind: NotificationKind, facts: &Facts, zone: Tz) -> (Text, Text) {
    let Facts { event_title: title, venue, amount, .. } = facts;
    let at = facts.starts_at.with_timezone(&zone);
    let (ko_at, en_at) = (at.format("%-m월 %-d일 %H:%M"), at.format("%b %-d, %H:%M"));
    let (ko, en, ko_body, en_body) = match kind {
        NotificationKind::Reminder => (
            "곧 시작합니다",
            "Starting soon",
            format!("「{title}」 {ko_at}, {venue}"),
            format!("“{title}” on {en_at} at {venue}"),
        ),
        NotificationKind::PaymentConfirmed => (
            "예매가 완료되었습니다",
            "Your booking is confirmed",
            format!("「{title}」 {ko_at}, {venue}. 결제 금액 {amount}원"),
            format!("“{title}” on {en_at} at {venue}. Paid: {amount} won"),
        ),
        NotificationKind::BookingCanceled => (
            "예매가 취소되었습니다",
            "Your booking was canceled",
            format!("「{title}」 {amount}원이 환불되었습니다."),
            format!("“{title}”: {amount} won were refunded."),
        ),
        NotificationKind::ChargeReturned => (
            "충전 금액이 환불되었습니다",
            "Your charge was returned",
            format!("포인트가 충전되지 않아 {amount}원이 환불되었습니다."),
            format!("No points were charged; {amount} won were refunded."),
        ),
        NotificationKind::EventCanceled => (
            "이벤트가 취소되었습니다",
            "The event was canceled",
            format!("「{title}」 이벤트가 취소되어 {amount}원이 환불되었습니다."),
            format!("“{title}” was canceled; {amount} won were refunded."),
        ),
        NotificationKind::EventChanged => (
            "일정이 바뀌었습니다",
            "The event was moved",
            format!("「{title}」 새 시작 시각은 {ko_at}입니다. 시작 전까지 무료로 취소할 수 있습니다."),
            format!("“{title}” now starts on {en_at}. You may cancel for free until then."),
        ),
        NotificationKind::CouponIssued => ("쿠폰이 도착했습니다", "A coupon for you", title.clone(), title.clone()),
        NotificationKind::SettlementPaid => (
            "정산이 완료되었습니다",
            "Your settlement was paid",
            format!("{amount} 포인트가 적립되었습니다."),
            format!("{amount} points were credited."),
        ),
    };
    (Text::new(ko, en), Text::new(ko_body, en_body))
}
