//! Which categories a key is for.

/// Categories, and folders of them: `writing/blog`, or `writing/*` for `writing` and all below it. None: all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders(Vec<String>);

impl Folders {
    /// These, or all, if there are none.
    #[must_use]
    pub fn of(folders: Vec<String>) -> Self {
        Self(folders)
    }

    /// Is there nothing outside of them?
    #[must_use]
    pub fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Is this category one of them?
    #[must_use]
    pub fn hold(&self, category: &str) -> bool {
        self.are_all() || self.0.iter().any(|folder| is_in(category, folder))
    }

    /// For statements: each is this category, and what sorts from here to there. `0` is the character after `/`.
    pub(crate) fn bounds(&self) -> Vec<(String, String, String)> {
        let bounds = |folder: &String| match folder.strip_suffix("/*") {
            Some(folder) => (folder.to_owned(), format!("{folder}/"), format!("{folder}0")),
            None => (folder.clone(), String::new(), String::new()),
        };
        self.0.iter().map(bounds).collect()
    }
}

impl std::fmt::Display for Folders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_in(category: &str, folder: &str) -> bool {
    match folder.strip_suffix("/*") {
        Some(folder) => category.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        None => category == folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_category_or_all_below_it() {
        for (category, folder, is_in_it) in [
            ("writing", "writing/*", true),
            ("writing/blog", "writing/*", true),
            ("writing/blog/x", "writing/*", true),
            ("writing/", "writing/*", true),
            ("writing/\u{10ffff}", "writing/*", true),
            ("writings", "writing/*", false),
            ("writing0", "writing/*", false),
            ("writing-x", "writing/*", false),
            ("a/writing", "writing/*", false),
            ("writing", "writing", true),
            ("writing/blog", "writing", false),
            ("Writing", "writing", false),
        ] {
            let folders = Folders::of(vec!["elsewhere".to_owned(), folder.to_owned()]);
            assert_eq!(folders.hold(category), is_in_it, "{category} in {folder}");
            // As a statement compares, byte by byte.
            let bounded = |(own, first, end): &(String, String, String)| {
                category == own || (category >= first.as_str() && category < end.as_str())
            };
            assert_eq!(folders.bounds().iter().any(bounded), is_in_it, "{category} within the bounds of {folder}");
        }
        assert!(Folders::default().hold("anything"));
    }
}
