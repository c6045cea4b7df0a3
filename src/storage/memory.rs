//! The reference storage: records in ordered maps.
