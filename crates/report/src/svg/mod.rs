//! Drawing on plain vector graphics: scales, ticks, axes, marks, colours, text that fits.

pub(crate) mod axes;
pub(crate) mod canvas;
pub(crate) mod colormap;
pub(crate) mod labels;
pub(crate) mod marks;
pub(crate) mod names;
pub(crate) mod scale;
pub(crate) mod text;
pub(crate) mod ticks;
