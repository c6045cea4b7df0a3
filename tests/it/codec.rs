//! Records of the log: what is encoded comes back, and nothing else does.

mod round_trip;
mod sample;
