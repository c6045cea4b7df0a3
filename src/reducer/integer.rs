//! Whole numbers of any length, for what a double is exactly.

use std::cmp::Ordering;

/// A whole number that is not negative.
#[derive(Debug, Clone)]
pub struct Integer {
    /// The lowest first; the highest is not zero.
    limbs: Vec<u32>,
}

impl From<u64> for Integer {
    fn from(value: u64) -> Self {
        let mut integer = Self { limbs: vec![value as u32, (value >> 32) as u32] };
        integer.trim();
        integer
    }
}

impl Integer {
    /// Multiplies, then adds.
    pub fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.limbs {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            self.limbs.push(carry as u32);
        }
    }

    /// Multiplies with a power of ten.
    pub fn multiply_power_of_ten(&mut self, exponent: usize) {
        (0..exponent).for_each(|_| self.multiply_add(10, 0));
    }

    /// Divides, and gives the rest.
    pub fn divide(&mut self, divisor: u32) -> u32 {
        let mut rest = 0;
        for limb in self.limbs.iter_mut().rev() {
            let value = rest << 32 | u64::from(*limb);
            *limb = (value / u64::from(divisor)) as u32;
            rest = value % u64::from(divisor);
        }
        self.trim();
        rest as u32
    }

    /// Multiplies with a power of two.
    pub fn shift_left(&mut self, bit_count: usize) {
        self.multiply_add(1 << (bit_count % 32), 0);
        let mut limbs = vec![0; bit_count / 32];
        limbs.append(&mut self.limbs);
        self.limbs = limbs;
    }

    /// Adds.
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::with_capacity(self.limbs.len() + 1);
        let mut carry = 0;
        for place in 0..self.limbs.len().max(other.limbs.len()) {
            let limb = |integer: &Self| integer.limbs.get(place).map_or(0, |limb| u64::from(*limb));
            carry += limb(self) + limb(other);
            sum.push(carry as u32);
            carry >>= 32;
        }
        sum.push(carry as u32);
        let mut sum = Self { limbs: sum };
        sum.trim();
        sum
    }

    /// Subtracts what is not larger.
    pub fn subtract(&mut self, other: &Self) {
        let mut borrow = 0;
        for (place, limb) in self.limbs.iter_mut().enumerate() {
            let subtrahend = other.limbs.get(place).map_or(0, |limb| i64::from(*limb));
            let difference = i64::from(*limb) - subtrahend - borrow;
            *limb = difference as u32;
            borrow = i64::from(difference < 0);
        }
        self.trim();
    }

    /// Which of two is larger.
    pub fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.limbs.len().cmp(&other.limbs.len());
        by_length.then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    /// How many bits it takes.
    pub fn bit_count(&self) -> usize {
        self.limbs.last().map_or(0, |highest| self.limbs.len() * 32 - highest.leading_zeros() as usize)
    }

    /// The highest 64 bits, the first of which is set unless it is zero, and whether a lower one is set.
    pub fn highest_bits(&self) -> (u64, bool) {
        let mut limbs = self.limbs.iter().rev();
        let mut next = || limbs.next().map_or(0, |limb| u64::from(*limb));
        let (high, low, after) = (next(), next(), next());
        let gap = high.leading_zeros().saturating_sub(32);
        let bits = (high << 32 | low) << gap | after << gap >> 32;
        let is_cut = after << gap & 0xffff_ffff != 0 || limbs.any(|limb| *limb != 0);
        (bits, is_cut)
    }

    fn trim(&mut self) {
        while self.limbs.pop_if(|limb| *limb == 0).is_some() {}
    }
}
