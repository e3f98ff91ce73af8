//! Communities and models of weighted graphs.

mod block_model;
mod louvain;
mod weighted;

pub use block_model::{
    BlockModelRun, BlockModelSettings, DegreeCorrection, DescriptionLength, EdgeWeights,
    NestedBlockModel, description_length, fit_block_model,
};
pub use louvain::{LouvainFit, LouvainSettings, louvain, modularity};
pub use weighted::WeightedGraph;
