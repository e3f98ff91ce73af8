//! Ids that occur once in a page.

use std::collections::BTreeSet;

use crate::plots::identifier;

/// The ids given so far.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    used: BTreeSet<String>,
}

impl Ids {
    /// An id made of `name` that no other element has.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let base: String = identifier(name).chars().take(60).collect();
        let mut id = base.clone();
        let mut count = 1;
        while !self.used.insert(id.clone()) {
            count += 1;
            id = format!("{base}-{count}");
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = Ids::default();
        assert_eq!(ids.unique("Données & <b>"), "donn-es----b-");
        assert_eq!(ids.unique("a"), "a");
        assert_eq!(ids.unique("a-2"), "a-2");
        assert_eq!(ids.unique("a"), "a-3");
        assert_eq!(ids.unique("26"), "f-26");
    }
}
