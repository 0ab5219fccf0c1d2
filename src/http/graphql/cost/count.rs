//! The cost of a selection, from the costs of the fragments that it spreads: each fragment is counted once.

use super::prices::{Kind, Prices};
use async_graphql::{
    Name, Value, Variables,
    parser::types::{Field, Selection, SelectionSet},
};
use std::collections::HashMap;

/// An object.
const OBJECT: u64 = 1;
/// A page, besides its entries.
const CONNECTION: u64 = 2;
/// All that a client asks of the schema itself with one `__schema` or `__type`.
const INTROSPECTION: u64 = 50;
/// As the resolvers have it.
const DEFAULT_PAGE: u64 = 20;
const MOST_PAGE: u64 = 100;

/// Sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub fixed: u64,
    /// In a page, for each of its entries.
    pub per_entry: u64,
    pub is_introspection: bool,
}

impl Cost {
    fn beside(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_add(other.fixed),
            per_entry: self.per_entry.saturating_add(other.per_entry),
            is_introspection: self.is_introspection || other.is_introspection,
        }
    }

    fn whole(self) -> u64 {
        self.fixed.saturating_add(self.per_entry)
    }
}

/// What a count looks things up in.
#[derive(Debug)]
pub struct Counter<'a> {
    pub prices: &'a Prices,
    pub variables: &'a Variables,
    /// The variables' defaults.
    pub defaults: HashMap<&'a str, &'a Value>,
    /// Every fragment that is spread and that there is.
    pub fragments: HashMap<&'a str, Cost>,
}

impl Counter<'_> {
    pub fn set(&self, parent: &str, set: &SelectionSet) -> Cost {
        let costs = set.items.iter().map(|selection| match &selection.node {
            Selection::Field(field) => self.field(parent, &field.node),
            Selection::InlineFragment(inline) => {
                let on = inline.node.type_condition.as_ref().map_or(parent, |on| on.node.on.node.as_str());
                self.set(on, &inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                self.fragments.get(spread.node.fragment_name.node.as_str()).copied().unwrap_or_default()
            }
        });
        costs.fold(Cost::default(), Cost::beside)
    }

    fn field(&self, parent: &str, field: &Field) -> Cost {
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") {
            return Cost { fixed: INTROSPECTION, per_entry: 0, is_introspection: true };
        }
        let within = |on: &str| self.set(on, &field.selection_set.node);
        match self.prices.kind(parent, name) {
            None | Some(Kind::Leaf) => Cost::default(),
            Some(Kind::Object(_)) if name == "pageInfo" => Cost::default(),
            Some(Kind::Object(on)) => {
                let inner = within(on);
                let whole = inner.whole().saturating_add(OBJECT).saturating_mul(self.named(field));
                if parent.ends_with("Connection") {
                    Cost { fixed: 0, per_entry: whole, ..inner }
                } else {
                    Cost { fixed: whole, per_entry: 0, ..inner }
                }
            }
            Some(Kind::Connection(on)) => {
                let inner = within(on);
                let entries = inner.per_entry.saturating_mul(self.page(field));
                let fixed = inner.fixed.saturating_add(entries).saturating_add(CONNECTION);
                Cost { fixed, per_entry: 0, ..inner }
            }
        }
    }

    /// How many objects a field names one by one, in its argument `ids`.
    fn named(&self, field: &Field) -> u64 {
        match self.argument(field, "ids") {
            Some(Value::List(ids)) => u64::try_from(ids.len()).unwrap_or(u64::MAX).max(1),
            _ => 1,
        }
    }

    /// How many entries the page asks for; what is out of range is refused later, and costs as much as the range has.
    fn page(&self, field: &Field) -> u64 {
        let asked = |name| match self.argument(field, name)? {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        asked("first").or_else(|| asked("last")).unwrap_or(DEFAULT_PAGE).min(MOST_PAGE)
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let given = field.get_argument(name)?.node.clone();
        given.into_const_with(|name| self.variable(&name).ok_or(())).ok()
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        self.variables.get(name).or_else(|| self.defaults.get(name.as_str()).copied()).cloned()
    }
}
