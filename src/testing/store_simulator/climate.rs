//! The climate: how foul the weather may get in a simulation.

use crate::testing::prng::Prng;
use crate::testing::simulated_storage::Weather;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Climate {
    /// Storages never fail: then no operation may.
    Mild,
    Stormy,
}

impl Climate {
    pub fn draw(prng: &mut Prng) -> Self {
        if prng.chance(300) { Self::Mild } else { Self::Stormy }
    }

    /// The weather of the next while.
    pub fn weather(self, prng: &mut Prng) -> Weather {
        let step_ms_max = *prng.pick(&[0, 1, 5, 20]);
        let mut weather = Weather { step_ms_max, ..Weather::default() };
        if self == Self::Stormy && prng.chance(600) {
            weather.abort_permille = *prng.pick(&[0, 50, 200]);
            weather.quota_permille = *prng.pick(&[0, 50, 400]);
            weather.disconnect_permille = *prng.pick(&[0, 50, 300, 900]);
        }
        weather
    }
}
