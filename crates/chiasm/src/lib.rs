//! The front door of Chiasm, a workbench for NeuroAI: every crate under one name.
//!
//! ```
//! use chiasm::core::Seed;
//! use chiasm::core::data::Rdm;
//!
//! let rdm = Rdm::from_condensed("three conditions", vec![0.1, 0.8, 0.7])?;
//! assert_eq!(rdm.conditions(), 3);
//! let _rng = Seed::new(0).named("bootstrap").rng();
//! # Ok::<(), chiasm::core::Error>(())
//! ```

pub use chiasm_brain as brain;
pub use chiasm_core as core;
pub use chiasm_io as io;
pub use chiasm_memory as memory;
pub use chiasm_nn as nn;
pub use chiasm_numerics as numerics;
pub use chiasm_report as report;
pub use chiasm_sim as sim;
pub use chiasm_spiking as spiking;
pub use chiasm_studies as studies;
