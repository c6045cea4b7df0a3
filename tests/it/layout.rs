//! Units and the directory say of the log what the log says, however it was cut and merged.

pub mod compacted;
mod golden;
mod hostile;
mod lived;
mod model;
mod steps;
