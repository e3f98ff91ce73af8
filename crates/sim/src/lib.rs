//! Simulators with known ground truth.
