//! What every twin must do, as functions over [`Search`]. Each gets an empty index.

use super::*;
use chrono::{DateTime, TimeDelta, Utc};

type Outcome = Result<(), SearchError>;

fn day(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + day)
}

/// An event that differs from others only by its number and title.
fn event(number: u128, title: &str) -> EventDocument {
    EventDocument {
        id: Uuid::from_u128(number),
        title: title.into(),
        content: String::new(),
        venue_name: String::new(),
        venue_address: String::new(),
        artist_name: String::new(),
        category: "MUSIC".into(),
        starts_at: day(10),
        ends_at: day(11),
        booking_opens_at: day(1),
        booking_closes_at: day(9),
        lowest_price: 10_000,
        highest_price: 20_000,
        remaining: 5,
        booked: 0,
        created_at: day(0),
        version: 1,
    }
}

fn put(events: impl IntoIterator<Item = EventDocument>) -> Vec<Change> {
    events.into_iter().map(|event| Change::Upsert(Box::new(event))).collect()
}

fn text(text: &str) -> SearchQuery {
    SearchQuery { text: Some(text.into()), limit: 20, ..SearchQuery::default() }
}

async fn numbers(search: &Search, query: &SearchQuery) -> Result<Vec<u128>, SearchError> {
    Ok(search.query(query).await?.hits.iter().map(|hit| hit.id.as_u128()).collect())
}

async fn found(search: &Search, asked: &str) -> Result<Vec<u128>, SearchError> {
    numbers(search, &text(asked)).await
}

pub(super) async fn text_is_found_as_koreans_type_it(search: Search) -> Outcome {
    let events = [
        event(1, "대학로 소극장의 밤"),
        event(2, "인디밴드 합동 공연"),
        event(3, "홍대 인디 밴드 페스티벌"),
        event(4, "JAZZ & Blues 나이트"),
        event(5, "연장 근무"),
        event(6, "공연 장소 안내"),
        event(7, "값진 하루"),
    ];
    search.apply(put(events)).await?;
    for (asked, expected) in [
        ("소극장", vec![1]),
        ("극장", vec![1]),
        ("장", vec![6, 5, 1]),
        ("인디밴드", vec![2, 3]),
        ("인디 밴드", vec![3, 2]),
        ("밴드 인디", vec![3, 2]),
        ("jazz", vec![4]),
        ("ＪＡＺＺ", vec![4]),
        ("jaz", vec![4]),
        ("jazz&blues", vec![4]),
        ("연장", vec![5]),
        ("\u{1109}\u{1169}\u{1100}\u{1173}\u{11A8}", vec![1]),
        ("ㅅㄱㅈ", vec![1]),
        ("ㄱㅈ", vec![7, 1]),
        ("소ㄱㅈ", vec![1]),
        ("ㅇㄷㅂㄷ", vec![3, 2]),
        ("ㄱ", vec![7, 6, 5, 2, 1]),
        ("소극잔", vec![1]),
        ("소극짱", vec![1]),
        ("소그", vec![1]),
        ("극쟝", vec![1]),
        ("인디 벤드", vec![3, 2]),
        ("패스티벌", vec![3]),
        ("jazs", vec![4]),
        ("홍대 인디 소식", vec![3]),
        ("없는말씀", vec![]),
        ("!!!", vec![]),
    ] {
        assert_eq!(found(&search, asked).await?, expected, "{asked}");
    }
    assert_eq!(search.query(&text("  ")).await?.total, 7);
    Ok(())
}

pub(super) async fn a_match_in_the_title_ranks_above_all_others(search: Search) -> Outcome {
    let content = EventDocument { content: "재즈 재즈 재즈 밤".into(), ..event(9, "가") };
    let venue = EventDocument { venue_name: "재즈 클럽".into(), content: "재즈".into(), ..event(8, "나") };
    let artist = EventDocument { artist_name: "올재즈".into(), ..event(7, "다") };
    let all_but_title = EventDocument { artist_name: "재즈".into(), ..venue.clone() };
    let all_but_title = EventDocument { id: Uuid::from_u128(6), ..all_but_title };
    let [part, start, word, whole] =
        [event(5, "프리재즈"), event(4, "재즈바 이야기"), event(3, "밤의 재즈"), event(1, "재즈")];
    search.apply(put([content, venue, artist, all_but_title, part, start, word, whole])).await?;
    assert_eq!(found(&search, "재즈").await?, [1, 3, 4, 5, 6, 7, 8, 9]);
    Ok(())
}

pub(super) async fn a_score_does_not_depend_on_other_events(search: Search) -> Outcome {
    search.apply(put([event(1, "재즈의 밤"), event(2, "밤과 재즈")])).await?;
    let before = search.query(&text("재즈")).await?;
    search.apply(put((10..40).map(|number| event(number, "록 페스티벌")))).await?;
    search.apply(vec![Change::Delete(Uuid::from_u128(2))]).await?;
    let after = search.query(&text("재즈")).await?;
    assert_eq!(before.hits.last(), after.hits.first());
    assert_eq!((before.total, after.total), (2, 1));
    Ok(())
}

pub(super) async fn an_older_version_never_replaces_a_newer_one(search: Search) -> Outcome {
    let version = |version, title| EventDocument { version, ..event(1, title) };
    search.apply(put([version(3, "셋"), version(2, "둘")])).await?;
    assert_eq!(found(&search, "셋").await?, [1]);
    search.apply(put([version(2, "둘")])).await?;
    assert_eq!(found(&search, "둘").await?, [0_u128; 0]);
    search.apply(put([version(3, "다시")])).await?;
    assert_eq!(found(&search, "다시").await?, [1]);
    search.apply(vec![Change::Delete(Uuid::from_u128(1))]).await?;
    assert_eq!(search.document_count().await?, 0);
    search.apply(put([version(1, "하나")])).await?;
    assert_eq!(found(&search, "하나").await?, [1]);
    assert_eq!(search.document_count().await?, 1);
    search.clear().await?;
    assert_eq!((search.document_count().await?, found(&search, "하나").await?), (0, vec![]));
    Ok(())
}

pub(super) async fn filters_narrow_and_facets_count_the_other_choices(search: Search) -> Outcome {
    let sold_out = EventDocument { remaining: 0, category: "ART".into(), lowest_price: 0, ..event(1, "하나") };
    let late =
        EventDocument { starts_at: day(20), booking_closes_at: day(19), highest_price: 90_000, ..event(2, "둘") };
    let seoul = EventDocument {
        venue_name: "예술의 전당".into(),
        venue_address: "서울특별시 서초구 남부순환로 2406".into(),
        ..event(3, "셋")
    };
    search.apply(put([sold_out, late, seoul])).await?;
    let all = SearchQuery { sort: Sort::Soonest, limit: 20, ..SearchQuery::default() };
    let place = |place: &str| SearchQuery { place: Some(place.into()), ..all.clone() };
    for (query, expected) in [
        (all.clone(), vec![1, 3, 2]),
        (SearchQuery { categories: vec!["ART".into()], ..all.clone() }, vec![1]),
        (SearchQuery { categories: vec!["ART".into(), "MUSIC".into()], ..all.clone() }, vec![1, 3, 2]),
        (SearchQuery { categories: vec!["MOVIE".into()], ..all.clone() }, vec![]),
        (place("예술의전당"), vec![3]),
        (place("서울 서초구"), vec![3]),
        (place("부산"), vec![]),
        (place(" "), vec![1, 3, 2]),
        (SearchQuery { starts_from: Some(day(10)), starts_until: Some(day(20)), ..all.clone() }, vec![1, 3]),
        (SearchQuery { starts_from: Some(day(11)), ..all.clone() }, vec![2]),
        (SearchQuery { price_min: Some(20_001), ..all.clone() }, vec![2]),
        (SearchQuery { price_max: Some(9_999), ..all.clone() }, vec![1]),
        (SearchQuery { bookable_at: Some(day(1)), ..all.clone() }, vec![3, 2]),
        (SearchQuery { bookable_at: Some(day(9)), ..all.clone() }, vec![2]),
        (SearchQuery { bookable_at: Some(day(0)), ..all.clone() }, vec![]),
    ] {
        assert_eq!(numbers(&search, &query).await?, expected, "{query:?}");
    }
    let page = search.query(&SearchQuery { categories: vec!["ART".into()], price_max: Some(9_999), ..all }).await?;
    assert_eq!((page.total, page.facets.categories), (1, vec![("ART".to_owned(), 1)]));
    let priced: Vec<_> = page.facets.prices.iter().filter(|bucket| bucket.count > 0).collect();
    assert_eq!(priced, [&PriceBucket { from: 0, until: Some(1), count: 1 }]);
    let page = search.query(&SearchQuery { categories: vec!["ART".into()], limit: 1, ..Default::default() }).await?;
    assert_eq!(page.facets.categories, [("MUSIC".to_owned(), 2), ("ART".to_owned(), 1)]);
    Ok(())
}

pub(super) async fn pages_cover_every_event_once_in_both_directions(search: Search) -> Outcome {
    for chunk in 0..5_u128 {
        let events = (chunk * 9..chunk * 9 + 9).map(|number| EventDocument {
            starts_at: day(i64::try_from(number % 3).unwrap_or_default()),
            lowest_price: i64::try_from(number % 4).unwrap_or_default(),
            booked: i64::try_from(number % 2).unwrap_or_default(),
            ..event(number, if number % 3 == 0 { "재즈" } else { "프리재즈 밤" })
        });
        search.apply(put(events)).await?;
    }
    let sorts = [Sort::Relevance, Sort::Soonest, Sort::Newest, Sort::Cheapest, Sort::Dearest, Sort::MostBooked];
    for sort in sorts {
        let page = |after, before| SearchQuery { sort, limit: 7, after, before, ..text("재즈") };
        let whole = search.query(&SearchQuery { limit: 100, ..page(None, None) }).await?;
        assert_eq!((whole.hits.len(), whole.total, whole.has_more), (45, 45, false));
        let places: Vec<Position> = whole.hits.iter().map(|hit| hit.position).collect();
        let mut forward: Vec<Position> = Vec::new();
        loop {
            let page = search.query(&page(forward.last().copied(), None)).await?;
            forward.extend(page.hits.iter().map(|hit| hit.position));
            assert_eq!(page.total, 45);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(forward, places, "{sort:?}");
        let mut backward: Vec<Position> = Vec::new();
        let mut before = Position { key: if sort.descends() { i64::MIN } else { i64::MAX }, id: Uuid::nil() };
        loop {
            let page = search.query(&page(None, Some(before))).await?;
            let hits: Vec<Position> = page.hits.iter().map(|hit| hit.position).collect();
            before = *hits.first().unwrap_or(&before);
            backward.splice(0..0, hits);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(backward, places, "{sort:?}");
    }
    Ok(())
}

pub(super) async fn highlights_show_what_matched(search: Search) -> Outcome {
    let content = "<b>재즈</b>와 인디 밴드".to_owned();
    search.apply(put([EventDocument { content, ..event(1, "인디밴드 & 재즈") }])).await?;
    let highlight = async |query: &SearchQuery| -> Result<Option<Highlight>, SearchError> {
        Ok(search.query(query).await?.hits.into_iter().next().and_then(|hit| hit.highlight))
    };
    let shown = highlight(&text("재즈")).await?.unwrap_or_default();
    assert_eq!(shown.title.as_deref(), Some("인디밴드 &amp; <em>재즈</em>"));
    assert_eq!(shown.content.as_deref(), Some("&lt;b&gt;<em>재즈</em>&lt;/b&gt;와 인디 밴드"));
    assert_eq!(highlight(&SearchQuery { limit: 1, ..Default::default() }).await?, None);
    Ok(())
}

pub(super) async fn suggestions_come_as_one_types(search: Search) -> Outcome {
    let shared = |number, title| EventDocument {
        venue_name: "소극장 산울림".into(),
        artist_name: "소란".into(),
        ..event(number, title)
    };
    search.apply(put([shared(1, "대학로 소극장의 밤"), shared(2, "소극장 콘서트"), event(3, "Jazz 소풍")])).await?;
    let suggested = async |prefix: &str| -> Result<Vec<String>, SearchError> {
        Ok(search.suggest(prefix, 10).await?.into_iter().map(|s| format!("{} {}", s.text, s.count)).collect())
    };
    let theatres = ["소극장 산울림 2", "소극장 콘서트 1", "대학로 소극장의 밤 1"];
    for prefix in ["소극장", "소극", "소그", "속", "ㅅㄱ", "ㅅㄱㅈ", "소ㄱ", "소ㄱㅈ", "소극짱"] {
        assert_eq!(suggested(prefix).await?, theatres, "{prefix}");
    }
    assert_eq!(suggested("소극장콘").await?, ["소극장 콘서트 1"]);
    assert_eq!(suggested("jA").await?, ["Jazz 소풍 1"]);
    assert_eq!(suggested("소라").await?, ["소란 2"]);
    assert_eq!(suggested(" ").await?, [""; 0]);
    assert_eq!(search.suggest("ㅅ", 2).await?.len(), 2);
    search.apply(vec![Change::Delete(Uuid::from_u128(2))]).await?;
    assert_eq!(suggested("소극장").await?, ["소극장 산울림 1", "대학로 소극장의 밤 1"]);
    Ok(())
}

pub(super) async fn ids_walk_over_every_event(search: Search) -> Outcome {
    search.apply(put((1..=5).map(|number| event(number, "밤")))).await?;
    search.apply(vec![Change::Delete(Uuid::from_u128(3))]).await?;
    let ids = async |after: Option<u128>| -> Result<Vec<u128>, SearchError> {
        Ok(search.ids(after.map(Uuid::from_u128), 2).await?.iter().map(Uuid::as_u128).collect())
    };
    assert_eq!((ids(None).await?, ids(Some(2)).await?, ids(Some(5)).await?), (vec![1, 2], vec![4, 5], vec![]));
    Ok(())
}
