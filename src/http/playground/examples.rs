//! The documents that the playground opens with, for the demo world: real files, so that an editor knows them, and a
//! test validates each against the schema.

/// One tab of the playground.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The name of its only operation, which is the tab's title.
    pub title: &'static str,
    /// The GraphQL document.
    pub document: &'static str,
    /// Its variables as JSON. The page replaces what is in double braces (see `assets/playground/page.js`).
    pub variables: &'static str,
}

macro_rules! example {
    ($title:literal, $file:literal) => {
        Example {
            title: $title,
            document: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/assets/playground/examples/",
                $file,
                ".graphql"
            )),
            variables: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/assets/playground/examples/",
                $file,
                ".json"
            )),
        }
    };
}

static EXAMPLES: [Example; 17] = [
    example!("BrowseEvents", "01-browse-events"),
    example!("SearchEvents", "02-search-events"),
    example!("SignInAsFan", "03-sign-in"),
    example!("Book", "04-book"),
    example!("ApprovePayment", "05-approve"),
    example!("MyBookings", "06-my-bookings"),
    example!("CancelBooking", "07-cancel"),
    example!("Notifications", "08-notifications"),
    example!("SignInAsArtist", "09-sign-in-artist"),
    example!("CreateEvent", "10-create-event"),
    example!("SignInAsAdmin", "11-sign-in-admin"),
    example!("Invariants", "12-invariants"),
    example!("WhatIsLeft", "13-what-is-left"),
    example!("AdminUsers", "14-admin-users"),
    example!("AdminStuck", "15-admin-stuck"),
    example!("StartSocialSignIn", "16-social-sign-in"),
    example!("DecidePayment", "17-decide-payment"),
];

/// All tabs, in the order in which a newcomer would try them.
#[must_use]
pub fn examples() -> &'static [Example] {
    &EXAMPLES
}

#[cfg(test)]
mod tests {
    use super::examples;

    #[test]
    fn each_example_holds_the_one_operation_it_is_named_after_and_readable_variables() {
        for example in examples() {
            let document = async_graphql::parser::parse_query(example.document).unwrap();
            let names: Vec<_> = document.operations.iter().filter_map(|(name, _)| name).map(|n| n.as_str()).collect();
            assert_eq!(names, [example.title]);
            assert!(serde_json::from_str::<serde_json::Value>(example.variables).unwrap().is_object());
        }
    }
}
