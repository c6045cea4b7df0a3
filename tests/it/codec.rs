//! Records of the log: what is encoded comes back, and nothing else does.

mod dissected;
pub mod golden;
mod hostile;
mod of_stream;
mod packing;
mod round_trip;
pub mod sample;
