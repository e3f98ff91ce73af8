//! The pages and figures as a browser gets them.

mod figures;
mod pages;
mod sample;
