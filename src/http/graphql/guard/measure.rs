//! The size of a selection, with every fragment expanded, from the sizes of the fragments that it spreads.

use async_graphql::{
    Positioned,
    parser::types::{Directive, Selection, SelectionSet},
};
use std::collections::HashMap;

/// Sums saturate: a document can ask for more fields than a number can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Fields, spreads and inline fragments.
    pub selections: u64,
    pub fields: u64,
    pub aliases: u64,
    pub directives: u64,
    /// Fields side by side at the top.
    pub width: u64,
    /// Fields inside each other, without what is below `__schema` and `__type`.
    pub depth: u64,
    /// The most fields inside each other below `__schema` and `__type`.
    pub introspection_depth: u64,
    pub introspection_lists: u64,
    /// Fields of [`LISTS`] inside each other.
    lists: u64,
}

/// What multiplies the answer, if it is below `__schema` or `__type`.
const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

impl Measure {
    /// `known` holds every fragment that the selection spreads and that there is; one that there is not has no size, and
    /// is the validation's to name.
    pub fn of(set: &SelectionSet, known: &HashMap<&str, Self>) -> Self {
        set.items.iter().map(|selection| Self::of_one(&selection.node, known)).fold(Self::default(), Self::beside)
    }

    #[must_use]
    pub fn with_directives(self, directives: &[Positioned<Directive>]) -> Self {
        let more = u64::try_from(directives.len()).unwrap_or(u64::MAX);
        Self { directives: self.directives.saturating_add(more), ..self }
    }

    /// As it will be below `__schema` or `__type`, the only places where a fragment on a type of the schema can stand.
    #[must_use]
    pub fn of_schema(self) -> Self {
        Self {
            depth: 0,
            introspection_depth: self.introspection_depth.max(self.depth),
            introspection_lists: self.introspection_lists.max(self.lists),
            ..self
        }
    }

    fn of_one(selection: &Selection, known: &HashMap<&str, Self>) -> Self {
        let measure = match selection {
            Selection::Field(field) => {
                let inner = Self::of(&field.node.selection_set.node, known);
                let aliases = inner.aliases.saturating_add(u64::from(field.node.alias.is_some()));
                Self { aliases, ..inner.inside(&field.node.name.node) }
            }
            Selection::InlineFragment(inline) => Self::of(&inline.node.selection_set.node, known),
            Selection::FragmentSpread(spread) => {
                known.get(spread.node.fragment_name.node.as_str()).copied().unwrap_or_default()
            }
        };
        let selections = measure.selections.saturating_add(1);
        Self { selections, ..measure }.with_directives(selection.directives())
    }

    /// As the selection of the field `name`.
    fn inside(self, name: &str) -> Self {
        let is_list = LISTS.contains(&name);
        let outer = Self { fields: self.fields.saturating_add(1), width: 1, ..self };
        if matches!(name, "__schema" | "__type") {
            Self { depth: 1, lists: 0, ..outer.of_schema() }
        } else {
            let lists = self.lists.saturating_add(u64::from(is_list));
            Self { depth: self.depth.saturating_add(1), lists, ..outer }
        }
    }

    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            width: self.width.saturating_add(other.width),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            lists: self.lists.max(other.lists),
        }
    }
}
