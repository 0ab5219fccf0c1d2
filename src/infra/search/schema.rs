//! The fields of the embedded index, and an event written into them.

use super::{EventDocument, reading::Reading};
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, STORED, STRING, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::{Index, TantivyDocument, Term};
use uuid::Uuid;

/// Grows when the same event would be indexed otherwise; an index of another format is rebuilt.
pub(super) const FORMAT: u32 = 1;

/// A part of an event that text is looked for in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub words: Field,
    pub joined: Field,
    /// None for the content, where initials and slips would match everything.
    pub short: Option<ShortPart>,
}

/// What only titles and names are read as.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortPart {
    pub initials: Field,
    pub slips: Field,
    /// None where there is nothing to suggest.
    pub suggestions: Option<Field>,
}

/// The schema, and its fields by what they are for.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub schema: Schema,
    id: Field,
    pub stored_title: Field,
    pub stored_content: Field,
    pub title: Part,
    pub artist: Part,
    pub venue: Part,
    pub address: Part,
    pub content: Part,
    category: Field,
    id_halves: [Field; 2],
    numbers: Vec<Field>,
}

/// The column of categories.
pub(super) const CATEGORY: &str = "category";
/// The columns of the two halves of the id.
pub(super) const ID_HALVES: [&str; 2] = ["id_high", "id_low"];

/// A column of numbers. Times are microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub &'static str, fn(&EventDocument) -> i64);

pub(super) const STARTS_AT: Number = Number("starts_at", |event| event.starts_at.timestamp_micros());
pub(super) const OPENS_AT: Number = Number("booking_opens_at", |event| event.booking_opens_at.timestamp_micros());
pub(super) const CLOSES_AT: Number = Number("booking_closes_at", |event| event.booking_closes_at.timestamp_micros());
pub(super) const CREATED_AT: Number = Number("created_at", |event| event.created_at.timestamp_micros());
pub(super) const LOWEST_PRICE: Number = Number("lowest_price", |event| event.lowest_price);
pub(super) const HIGHEST_PRICE: Number = Number("highest_price", |event| event.highest_price);
pub(super) const REMAINING: Number = Number("remaining", |event| event.remaining);
pub(super) const BOOKED: Number = Number("booked", |event| event.booked);
pub(super) const VERSION: Number = Number("version", |event| event.version);
const NUMBERS: [Number; 9] =
    [STARTS_AT, OPENS_AT, CLOSES_AT, CREATED_AT, LOWEST_PRICE, HIGHEST_PRICE, REMAINING, BOOKED, VERSION];

fn text_field(schema: &mut SchemaBuilder, name: &str, reading: Reading) -> Field {
    let record = match reading {
        Reading::Words | Reading::Joined | Reading::Initials => IndexRecordOption::WithFreqsAndPositions,
        Reading::Slips | Reading::Suggestions => IndexRecordOption::Basic,
    };
    let indexing =
        TextFieldIndexing::default().set_tokenizer(reading.name()).set_index_option(record).set_fieldnorms(false);
    schema.add_text_field(&format!("{name}_{}", reading.name()), TextOptions::default().set_indexing_options(indexing))
}

fn long_part(schema: &mut SchemaBuilder, name: &str) -> Part {
    Part {
        words: text_field(schema, name, Reading::Words),
        joined: text_field(schema, name, Reading::Joined),
        short: None,
    }
}

fn short_part(schema: &mut SchemaBuilder, name: &str, suggested: bool) -> Part {
    let short = ShortPart {
        initials: text_field(schema, name, Reading::Initials),
        slips: text_field(schema, name, Reading::Slips),
        suggestions: suggested.then(|| text_field(schema, name, Reading::Suggestions)),
    };
    Part { short: Some(short), ..long_part(schema, name) }
}

impl Fields {
    pub fn new() -> Self {
        let mut schema = Schema::builder();
        let id = schema.add_bytes_field("id", BytesOptions::default().set_indexed());
        let fast = NumericOptions::default().set_fast();
        let (stored_title, stored_content) =
            (schema.add_text_field("title", STORED), schema.add_text_field("content", STORED));
        let title = short_part(&mut schema, "title", true);
        let artist = short_part(&mut schema, "artist", true);
        let venue = short_part(&mut schema, "venue", true);
        let address = short_part(&mut schema, "address", false);
        let content = long_part(&mut schema, "content");
        let category = schema.add_text_field(CATEGORY, STRING.set_fast("raw"));
        let id_halves = ID_HALVES.map(|name| schema.add_u64_field(name, fast.clone()));
        let numbers = NUMBERS.iter().map(|number| schema.add_i64_field(number.0, fast.clone())).collect();
        let schema = schema.build();
        Self {
            schema,
            id,
            stored_title,
            stored_content,
            title,
            artist,
            venue,
            address,
            content,
            category,
            id_halves,
            numbers,
        }
    }

    /// Teaches an index how its texts are read.
    pub fn teach(index: &Index) {
        for reading in Reading::ALL {
            index.tokenizers().register(reading.name(), reading);
        }
    }

    /// The term that is this event's alone.
    pub fn id_term(&self, id: Uuid) -> Term {
        Term::from_field_bytes(self.id, id.as_bytes())
    }

    pub fn document(&self, event: &EventDocument) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_bytes(self.id, event.id.as_bytes());
        document.add_text(self.stored_title, &event.title);
        document.add_text(self.stored_content, &event.content);
        for (part, text) in [
            (self.title, &event.title),
            (self.artist, &event.artist_name),
            (self.venue, &event.venue_name),
            (self.address, &event.venue_address),
            (self.content, &event.content),
        ] {
            part.add(&mut document, text);
        }
        document.add_text(self.category, &event.category);
        let halves: [u64; 2] = event.id.as_u64_pair().into();
        for (field, half) in self.id_halves.into_iter().zip(halves) {
            document.add_u64(field, half);
        }
        for (field, number) in self.numbers.iter().zip(NUMBERS) {
            document.add_i64(*field, number.1(event));
        }
        document
    }
}

impl Part {
    fn add(&self, document: &mut TantivyDocument, text: &str) {
        let short = self.short.map(|short| [Some(short.initials), Some(short.slips), short.suggestions]);
        let always = [self.words, self.joined];
        for field in always.into_iter().chain(short.into_iter().flatten().flatten()) {
            document.add_text(field, text);
        }
    }
}
