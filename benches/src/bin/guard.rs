//! What the document guard costs: the nanoseconds for each byte of a document, for documents of several shapes that grow
//! from 1 KiB to 256 KiB, with every limit out of the way but that of the nesting. A row that stays flat is linear.

use async_graphql::parser::{parse_query, types::ExecutableDocument};
use benches::{Result, median};
use spotlight::http::graphql::{DocumentLimits, guard};
use std::{
    fmt::Write,
    hint::black_box,
    time::{Duration, Instant},
};

const SIZES: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// So many figures for each size, each over at least this time.
const FIGURES: usize = 9;
const AT_LEAST: Duration = Duration::from_millis(20);

type Shape = (&'static str, fn(usize) -> Result<String>);

const SHAPES: [Shape; 6] = [
    ("fields with aliases", |bytes| repeat(bytes, "query {", "}", |n| format!(" a{n}: rateLimit {{ cost }}"))),
    ("nested 40 deep", |bytes| {
        let deep = format!("{}id{}", "a { ".repeat(40), " }".repeat(40));
        repeat(bytes, "{", "}", move |_| format!(" {deep}"))
    }),
    ("each fragment spreads the next twice", |bytes| {
        repeat(bytes, "{ ...F0 }", "", |n| {
            let next = n + 1;
            format!(" fragment F{n} on Q {{ a {{ ...F{next} }} b {{ ...F{next} }} }}")
        })
    }),
    ("one field, arguments in lists", |bytes| repeat(bytes, "{ nodes(ids: [", "]) { id } }", |n| format!(" \"{n}\""))),
    ("directives", |bytes| repeat(bytes, "{ rateLimit", " { cost } }", |_| " @skip(if: false)".to_owned())),
    ("comments and strings", |bytes| repeat(bytes, "{ a(b: [", "]) }", |_| " \"{{{ \\\" {{{\" # {{{ \"\n".to_owned())),
];

fn main() -> Result<()> {
    println!("nanoseconds for each byte; the guard is the scan before parsing and the measuring after it");
    print!("{:37} {:6}", "document", "");
    for size in SIZES {
        print!(" {size:>4}K");
    }
    println!("  largest/smallest");
    for (name, make) in SHAPES {
        let documents = SIZES.iter().map(|size| make(size * 1024)).collect::<Result<Vec<_>>>()?;
        let guard = documents.iter().map(|text| guarding(text)).collect::<Result<Vec<_>>>()?;
        let parser =
            documents.iter().map(|text| time(text, || parse_query(text).is_ok())).collect::<Result<Vec<_>>>()?;
        row(name, "guard", &guard);
        row("", "parser", &parser);
    }
    Ok(())
}

fn row(name: &str, part: &str, figures: &[f64]) {
    print!("{name:37} {part:6}");
    for figure in figures {
        print!(" {figure:5.1}");
    }
    if let (Some(first), Some(last)) = (figures.first(), figures.last()) {
        print!("  {:.2}", last / first);
    }
    println!();
}

fn guarding(text: &str) -> Result<f64> {
    let limits = no_limits();
    let document: ExecutableDocument = parse_query(text)?;
    let is_passed =
        || guard::check_text(text, &limits).is_ok() && guard::check_document(black_box(&document), &limits).is_ok();
    time(text, is_passed)
}

/// Nanoseconds for each byte of the text; the work must succeed.
fn time(text: &str, work: impl Fn() -> bool) -> Result<f64> {
    let bytes = f64::from(u32::try_from(text.len())?);
    let mut figures = Vec::with_capacity(FIGURES);
    for _ in 0..FIGURES {
        let (began, mut times) = (Instant::now(), 0_u32);
        while began.elapsed() < AT_LEAST {
            if !black_box(work()) {
                return Err(format!("refused: {}", text.chars().take(80).collect::<String>()).into());
            }
            times += 1;
        }
        figures.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(times) / bytes);
    }
    Ok(median(figures))
}

fn repeat(bytes: usize, begin: &str, end: &str, part: impl Fn(usize) -> String) -> Result<String> {
    let mut text = begin.to_owned();
    let mut number = 0;
    while text.len() + end.len() < bytes {
        write!(text, "{}", part(number))?;
        number += 1;
    }
    text.push_str(end);
    Ok(text)
}

fn no_limits() -> DocumentLimits {
    DocumentLimits {
        tokens: usize::MAX,
        nesting: 100,
        definitions: usize::MAX,
        fragments: usize::MAX,
        depth: u64::MAX,
        introspection_depth: u64::MAX,
        introspection_lists: u64::MAX,
        fields: u64::MAX,
        aliases: u64::MAX,
        directives: u64::MAX,
        root_fields: u64::MAX,
        subscription_root_fields: u64::MAX,
    }
}
