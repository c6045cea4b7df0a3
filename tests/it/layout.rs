//! Units and the directory say of the log what the log says, however it was cut and merged.

pub mod compacted;
mod golden;
pub mod hostile;
pub mod lived;
pub mod model;
mod steps;
