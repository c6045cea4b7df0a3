//! Reducers: one language, whichever way it is written.

mod document;
mod exported;
mod hostile;
mod random;
mod refused;
mod typed;
mod typed_vectors;
mod vectors;
