//! Lists of different lengths, one after the other.

/// Lists of numbers of different lengths, kept in one piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ragged<T> {
    values: Vec<T>,
    /// Where each list ends in `values`.
    ends: Vec<usize>,
}

impl<T> Ragged<T> {
    /// From all values and the position after the last value of each list. `None` where the
    /// positions go down or do not end with the values.
    pub fn new(values: Vec<T>, ends: Vec<usize>) -> Option<Self> {
        let ordered = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let whole = ends.last().copied().unwrap_or(0) == values.len();
        (ordered && whole).then_some(Ragged { values, ends })
    }

    /// The number of lists.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The list at `index`; empty where there is none.
    pub fn get(&self, index: usize) -> &[T] {
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start..end]
    }

    /// The lists in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// All values, list after list.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Adds one list.
    pub fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.values.extend(list);
        self.ends.push(self.values.len());
    }

    pub(super) fn push_with<E>(
        &mut self,
        fill: impl FnOnce(&mut Vec<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        fill(&mut self.values)?;
        self.ends.push(self.values.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_as_they_went_in() {
        let mut ragged = Ragged::default();
        for list in [vec![1, 2], vec![], vec![3]] {
            ragged.push(list);
        }
        assert_eq!(ragged.iter().collect::<Vec<_>>(), [&[1, 2][..], &[], &[3]]);
        assert_eq!(Ragged::new(vec![1, 2, 3], vec![2, 2, 3]), Some(ragged));
        assert_eq!(Ragged::new(vec![1, 2, 3], vec![2, 1, 3]), None);
        assert_eq!(Ragged::new(vec![1, 2, 3], vec![1, 2]), None);
    }
}
