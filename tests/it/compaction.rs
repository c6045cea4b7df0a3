//! Compaction: whatever becomes of it, the log says what it said.

mod answers;
mod background;
mod crashes;
mod derived_again;
mod durable;
mod erasure;
mod faults;
mod hidden_often;
mod ids;
pub mod laid;
mod many_names;
mod set_back;
mod staged;
mod stored;
pub mod tabs;
mod two_at_once;
mod whole;
mod without_code;
