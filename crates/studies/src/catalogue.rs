//! The list of all studies.

use crate::Study;

/// Every study, in the order of families, then numbers.
pub static STUDIES: &[&Study] = &[
    &crate::brain::trsa::STUDY,
    &crate::brain::image_triplets::STUDY,
    &crate::populations::dynamic_connectome::STUDY,
    &crate::spiking::learned_delays::STUDY,
    &crate::memory::active_dendrites::STUDY,
];

/// The study called `name`, by slug or number.
pub fn find(name: &str) -> Option<&'static Study> {
    STUDIES
        .iter()
        .copied()
        .find(|study| study.slug == name || name.parse() == Ok(study.number))
}
