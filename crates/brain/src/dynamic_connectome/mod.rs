//! Dynamic functional connectome: which neurons change together, when, and in which animals (Dyballa,
//! Lang, Haslund-Gourley, Yemini and Zucker, *Learning dynamic representations of the functional
//! connectome in neurobiological networks*, ICLR 2024).
//!
//! Traces are differentiated; two neurons are affine while both rise or both fall. The affinities over
//! time x animal x pair, with pairs missing where a neuron was not found, are decomposed by non-negative
//! CP; each component says when, in whom, and between which neurons. Each component's graph is then
//! divided into communities by a nested weighted block model, which may also find none.

mod affinity;
mod fitted;
mod roster;
mod sliding_window;
mod smoothing;

use chiasm_core::data::Recording;
use chiasm_core::{Error, Progress, Result, Seed};
use chiasm_numerics::graph::{BlockModelSettings, LouvainSettings};
use chiasm_numerics::tensor::{CpSettings, ObservedTensor, RankSettings, choose_rank, fit_cp};
use serde::{Deserialize, Serialize};

pub use self::affinity::{AffinityRule, AffinitySettings};
pub use self::fitted::{Communities, Component, ConnectomeFit};
pub use self::sliding_window::SlidingWindow;
pub use self::smoothing::Smoothness;

use self::roster::Roster;

/// Where affinities come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Affinities {
    /// Products of derivatives, moment by moment.
    Derivatives(AffinitySettings),
    /// Correlations over a sliding window: the usual way, kept for comparison.
    SlidingWindow(SlidingWindow),
}

/// How a component's graph is divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// The nested weighted block model of the shortest description.
    BlockModel(BlockModelSettings),
    /// Modularity, kept for comparison.
    Louvain(LouvainSettings),
}

/// Settings of the whole analysis; [`DynamicConnectome::fit`] carries it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicConnectome {
    /// Where affinities come from.
    pub affinities: Affinities,
    /// Neurons found in fewer animals are left out.
    pub least_animals: usize,
    /// The decomposition; its rank is used unless `rank_search` is set.
    pub decomposition: CpSettings,
    /// Chooses the number of components where set.
    pub rank_search: Option<RankSettings>,
    /// Edges below this share of a component's strongest pair are dropped before dividing its graph.
    pub least_weight: f64,
    /// How each component's graph is divided.
    pub division: Division,
    /// A component is active while its time course, and in the animals whose loading, exceeds this share
    /// of its largest value.
    pub active_share: f64,
}

impl Default for DynamicConnectome {
    fn default() -> Self {
        DynamicConnectome {
            affinities: Affinities::Derivatives(AffinitySettings::default()),
            least_animals: 2,
            decomposition: CpSettings::default(),
            rank_search: None,
            least_weight: 0.1,
            division: Division::BlockModel(BlockModelSettings::default()),
            active_share: 0.3,
        }
    }
}

impl DynamicConnectome {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        if self.least_animals == 0 {
            return Err(Error::setting("least_animals", 0, "at least 1"));
        }
        for (name, value) in [
            ("least_weight", self.least_weight),
            ("active_share", self.active_share),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::setting(name, value, "at least 0 and below 1"));
            }
        }
        if let Affinities::Derivatives(settings) = &self.affinities {
            settings.check()?;
        }
        if let Division::BlockModel(settings) = &self.division {
            settings.check()?;
        }
        self.decomposition.check()
    }

    /// The affinity tensor of `recordings` (time steps x animals x pairs of neurons in the order of a
    /// condensed matrix) and the names of its neurons, sorted.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn affinity_tensor(
        &self,
        recordings: &[Recording],
        progress: &Progress,
    ) -> Result<(ObservedTensor, Vec<String>)> {
        let roster = Roster::new(recordings, self.least_animals)?;
        Ok((self.tensor_of(&roster, progress)?, roster.neurons))
    }

    fn tensor_of(&self, roster: &Roster<'_>, progress: &Progress) -> Result<ObservedTensor> {
        match &self.affinities {
            Affinities::Derivatives(settings) => {
                affinity::derivative_affinities(roster, settings, progress)
            }
            Affinities::SlidingWindow(settings) => {
                sliding_window::window_affinities(roster, settings, progress)
            }
        }
    }

    /// Analyses one recording an animal. Channels are neurons, identified across animals by name; a
    /// neuron that was not found is absent or all NaN.
    ///
    /// # Errors
    /// [`Error::TooFew`] for no recordings or too few samples; [`Error::Shape`] or [`Error::Setting`]
    /// where lengths or rates differ; [`Error::NotFinite`] for gaps inside a trace;
    /// [`Error::Unusable`] where fewer than three neurons are shared, a name occurs twice in an animal,
    /// or traces never change; [`Error::Interrupted`].
    pub fn fit(
        &self,
        recordings: &[Recording],
        seed: Seed,
        progress: &Progress,
    ) -> Result<ConnectomeFit> {
        self.check()?;
        let roster = Roster::new(recordings, self.least_animals)?;
        let tensor = self.tensor_of(&roster, progress)?;
        let rank_choice = match &self.rank_search {
            Some(search) => Some(choose_rank(
                &tensor,
                search,
                seed.named("rank"),
                &progress.quiet(),
            )?),
            None => None,
        };
        let mut decomposition = self.decomposition.clone();
        if let Some(choice) = &rank_choice {
            decomposition.rank = choice.rank;
        }
        let fit = fit_cp(
            &tensor,
            &decomposition,
            seed.named("decomposition"),
            &progress.quiet(),
        )?;
        fitted::assemble(self, &roster, &tensor, fit, rank_choice, seed, progress)
    }
}
