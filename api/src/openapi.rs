//! The published contract, as it follows from the code.
use utoipa::{
    OpenApi,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Prompt Store",
        description = "The registry of the prompts that applications send to language models.\n\n\
            Text is Unicode without U+0000. Names, categories and tags are sorted by code point. A parameter of a query is \
            given once, unless it is a list; a query that is no UTF-8 is refused.\n\n\
            A number in a body is kept with the value it is written with, or refused with `number-not-exact`: a whole \
            number has at most 64 bits, any other is what a double holds. Send larger ones as text.\n\n\
            The entity tag of a prompt stands for its revision. `If-Match` takes it as well as a proxy that compresses may \
            have changed it: `W/\"7\"`, `\"7-gzip\"`.\n\n\
            A page ends after 8 MiB of what its rows hold, and has at least one.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "prompts", description = "Keep a prompt, change it, find it."),
        (name = "search", description = "Find prompts by their words."),
        (name = "serving", description = "Give me my prompt, filled."),
        (name = "versions", description = "What a prompt was, and the labels that point there."),
        (name = "lifecycle", description = "Draft, published, deprecated, archived."),
        (name = "drift", description = "How far a prompt has moved from what it was."),
        (name = "suggestions", description = "What could be better about a prompt."),
        (name = "analytics", description = "How prompts are used, how well, and at what cost."),
        (name = "ab-tests", description = "Which prompt is better, and how sure that is."),
        (name = "refinement", description = "A model improves a prompt, a person decides."),
        (name = "relationships", description = "What prompts have to do with each other."),
        (name = "bulk", description = "Many prompts at once."),
        (name = "notifications", description = "What happens in the store."),
        (name = "webhooks", description = "Telling others what happens."),
        (name = "before-v2", description = "The paths of the first version, for integrations that have not moved."),
        (name = "access", description = "Keys: who may ask, and for what."),
        (name = "operations", description = "How the store is."),
    ),
)]
struct Base;

/// What no route says: who we are, and how to bring a key.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    let mut base = Base::openapi();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("PROMPT_STORE_ADMIN_KEY"));
    let components = base.components.get_or_insert_with(Components::new);
    components.add_security_scheme("key", SecurityScheme::Http(bearer.build()));
    // A store on one's own machine needs no key; any other does.
    base.security =
        Some(vec![SecurityRequirement::default(), SecurityRequirement::new::<_, [&str; 0], &str>("key", [])]);
    base
}

/// The contract as `api/openapi.json` holds it.
#[must_use]
pub fn document() -> String {
    let (_, openapi) = crate::contract();
    let mut text = openapi.to_pretty_json().expect("a contract is plain data");
    text.push('\n');
    text
}
