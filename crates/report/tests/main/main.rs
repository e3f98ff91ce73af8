//! The pages and figures as a browser gets them.

#![allow(clippy::unwrap_used, clippy::panic)]

mod figures;
mod pages;
mod sample;
