//! The guard against a naive expander, and against what it is there for.

use super::{check_document, check_text, measure::Measure, order};
use crate::http::graphql::settings::DocumentLimits;
use async_graphql::parser::{
    parse_query,
    types::{ExecutableDocument, Selection, SelectionSet},
};
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Counts by really expanding.
#[derive(Debug, Default, PartialEq, Eq)]
struct Naive {
    selections: u64,
    fields: u64,
    aliases: u64,
    directives: u64,
    width: u64,
    depth: u64,
}

impl Naive {
    fn walk(&mut self, document: &ExecutableDocument, set: &SelectionSet, depth: u64) {
        for selection in &set.items {
            self.selections += 1;
            self.directives += u64::try_from(selection.node.directives().len()).unwrap();
            match &selection.node {
                Selection::Field(field) => {
                    self.fields += 1;
                    self.width += u64::from(depth == 0);
                    self.aliases += u64::from(field.node.alias.is_some());
                    self.depth = self.depth.max(depth + 1);
                    self.walk(document, &field.node.selection_set.node, depth + 1);
                }
                Selection::InlineFragment(inline) => self.walk(document, &inline.node.selection_set.node, depth),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.directives += u64::try_from(fragment.node.directives.len()).unwrap();
                        self.walk(document, &fragment.node.selection_set.node, depth);
                    }
                }
            }
        }
    }
}

fn measured(document: &ExecutableDocument) -> Measure {
    let mut known = HashMap::new();
    for name in order::dependencies_first(&document.fragments).unwrap() {
        let fragment = &document.fragments[name].node;
        known.insert(
            name.as_str(),
            Measure::of(&fragment.selection_set.node, &known).with_directives(&fragment.directives),
        );
    }
    let (_, operation) = document.operations.iter().next().unwrap();
    Measure::of(&operation.node.selection_set.node, &known)
}

/// Selections in which fragment `level` spreads only later ones; `F9` there is not.
fn selections(level: usize) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b: a @d".to_owned()),
        (level + 1..10).prop_map(|next| format!("...F{next}")),
        (level + 1..10).prop_map(|next| format!("...F{next} @d @e")),
    ];
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|sets| format!("c {{ {} }}", sets.join(" "))),
            prop::collection::vec(inner, 1..3).prop_map(|sets| format!("... @d {{ {} }}", sets.join(" "))),
        ]
    });
    prop::collection::vec(tree, 1..4).prop_map(|sets| sets.join(" "))
}

fn documents() -> impl Strategy<Value = String> {
    let fragments: Vec<_> = (0..6).map(selections).collect();
    (selections(0), fragments).prop_map(|(root, fragments)| {
        let fragments =
            fragments.iter().enumerate().map(|(level, set)| format!("fragment F{level} on T @d {{ {set} }}"));
        format!("{{ {root} ...F0 }} {}", fragments.collect::<Vec<_>>().join(" "))
    })
}

const PARTS: [&str; 24] = [
    "{",
    "}",
    "{ a }",
    "{ ...F }",
    "(",
    ")",
    "[",
    "]",
    "...",
    "...F",
    "fragment F on T",
    "fragment F on T { a ...F }",
    "a",
    "b: a",
    "@d",
    "@d(x: 1)",
    "$x",
    "query",
    "\"s\"",
    "\"\"\"",
    "\"\\",
    "# c\n",
    "1e9",
    "!",
];

proptest! {
    #[test]
    fn the_memoised_measure_is_the_expanded_one(text in documents()) {
        let document = parse_query(&text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let mut naive = Naive::default();
        naive.walk(&document, &operation.node.selection_set.node, 0);
        let Measure { selections, fields, aliases, directives, width, depth, .. } = measured(&document);
        prop_assert_eq!(Naive { selections, fields, aliases, directives, width, depth }, naive);
    }

    /// Whatever it is made of, 16 KB are measured or refused in a time that nobody notices.
    #[test]
    fn no_text_takes_long(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..2_500)) {
        let (text, limits) = (parts.join(" "), DocumentLimits::default());
        let began = Instant::now();
        if check_text(&text, &limits).is_ok() && let Ok(document) = parse_query(&text) {
            let _measured_or_refused = check_document(&document, &limits);
        }
        prop_assert!(began.elapsed() < Duration::from_secs(1), "{:?}: {text}", began.elapsed());
    }

    #[test]
    fn a_text_that_passes_can_be_parsed_without_overflow(text in "[{}()\\[\\]\"a:. #\n\\\\@$]{0,400}") {
        if check_text(&text, &DocumentLimits::default()).is_ok() {
            let _parsed_or_refused = parse_query(&text);
        }
    }
}

fn refusal(text: &str) -> String {
    let limits = DocumentLimits::default();
    let checked = check_text(text, &limits).and_then(|()| check_document(&parse_query(text).unwrap(), &limits));
    checked.err().map(|problem| format!("{} {}", problem.code, problem.message)).unwrap_or_default()
}

#[test]
fn fragments_that_double_are_refused_at_once() {
    let doubling = |bottom: &str| {
        let chain: String =
            (0..40).map(|n| format!("fragment F{n} on T {{ ...F{next} ...F{next} }} ", next = n + 1)).collect();
        format!("{{ ...F0 }} {chain} {bottom}")
    };
    assert_eq!(
        refusal(&doubling("fragment F40 on T { a }")),
        "QUERY_TOO_COMPLEX The document has 1024 fields; at most 1000 are allowed."
    );
    // The last one is missing: no fields at all, and still 2^40 visits.
    assert_eq!(refusal(&doubling("")), "QUERY_TOO_COMPLEX The document has 2046 selections; at most 2000 are allowed.");
}

#[test]
fn each_limit_is_named() {
    let chain = |n: usize| format!("{}a{}", "{ a ".repeat(n - 1) + "{ ", " }".repeat(n));
    let aliases: String = (0..31).map(|n| format!("a{n}: a ")).collect();
    for (text, reason) in [
        (chain(12), ""),
        (chain(13), "QUERY_TOO_COMPLEX The document has 13 fields inside each other; at most 12 are allowed."),
        (chain(49), "QUERY_TOO_COMPLEX The document has 49 brackets inside each other; at most 48 are allowed."),
        (format!("{{ a {{ {aliases} }} }}"), "QUERY_TOO_COMPLEX The document has 31 aliases; at most 30 are allowed."),
        (
            format!("{{ {} }}", "a ".repeat(21)),
            "QUERY_TOO_COMPLEX The document has 21 root fields; at most 20 are allowed.",
        ),
        (
            format!("{{ a {} }}", "@d ".repeat(51)),
            "QUERY_TOO_COMPLEX The document has 51 directives; at most 50 are allowed.",
        ),
        (
            format!("{{ {} }}", "a ".repeat(2_000)),
            "QUERY_TOO_COMPLEX The document has 2002 tokens; at most 2000 are allowed.",
        ),
        (
            "subscription { a ...F } fragment F on S { b }".to_owned(),
            "QUERY_TOO_COMPLEX The document has 2 root fields of a subscription; at most 1 are allowed.",
        ),
        (
            "{ ...A } fragment A on T { a { ...B } } fragment B on T { ... { ...A } }".to_owned(),
            "GRAPHQL_VALIDATION_FAILED The fragment \"A\" spreads itself.",
        ),
        ("{ a(b: \"x) }".to_owned(), "GRAPHQL_PARSE_FAILED A string is not terminated."),
        (
            "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
                .to_owned(),
            "QUERY_TOO_COMPLEX The document has 4 lists of the schema inside each other; at most 3 are allowed.",
        ),
    ] {
        assert_eq!(refusal(&text), reason, "{text}");
    }
}

/// As graphql-js 16 writes it, with every option on.
#[test]
fn the_introspection_query_of_common_tools_passes() {
    let type_ref = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let text = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name }} mutationType {{ name }} \
         subscriptionType {{ name }} types {{ ...FullType }} directives {{ name description isRepeatable locations \
         args(includeDeprecated: true) {{ ...InputValue }} }} }} }} \
         fragment FullType on __Type {{ kind name description specifiedByURL isOneOf fields(includeDeprecated: true) {{ name \
         description args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated \
         deprecationReason }} inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} \
         enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} possibleTypes \
         {{ ...TypeRef }} }} fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue \
         isDeprecated deprecationReason }} fragment TypeRef on __Type {{ {type_ref} }}"
    );
    assert_eq!(refusal(&text), "");
}
