//! Numbers as JavaScript has them: doubles, read as `JSON.parse` reads them and written as `JSON.stringify` writes them.
//!
//! Both ways are exact. What nearly all numbers are takes a short cut; the rest is worked out in integers of any
//! length, so that no table of powers weighs on the download.

use super::integer::Integer;

/// The powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// The first whole number after which not each has a double of its own.
const EXACT_BEFORE: u64 = 1 << 53;
/// More digits than this change a double only by not all being zero: 767 are the most that decide.
const DIGITS_MAX: usize = 800;
/// The exponent of two of the smallest normal double.
const EXPONENT_MIN: i64 = -1022;

/// So many characters without an exponent are digits that a double holds exactly.
const SHORT_MAX: usize = 15;

/// A number of few digits without an exponent, which most are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ShortNumber {
    Whole(u64),
    /// Less than zero.
    NegativeWhole(i64),
    /// With a fraction, or zero with a sign.
    Broken(f64),
}

impl ShortNumber {
    /// Reads it, with nothing around it. `None` for any other number, and for what is none.
    pub fn read(text: &[u8]) -> Option<Self> {
        let (is_negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        if SHORT_MAX < text.len() || matches!(text, [] | [b'0', b'0'..=b'9', ..]) {
            return None;
        }
        let (mut digits, mut decimals) = (0, None);
        for (behind, byte) in (0..text.len()).rev().zip(text) {
            match byte.wrapping_sub(b'0') {
                digit @ 0..=9 => digits = digits * 10 + u64::from(digit),
                _ if *byte == b'.' && decimals.is_none() && behind + 1 < text.len() && 0 < behind => {
                    decimals = Some(behind);
                }
                _ => return None,
            }
        }
        Some(match decimals {
            None if !is_negative => Self::Whole(digits),
            None if 0 < digits => Self::NegativeWhole(-(digits as i64)),
            decimals => {
                let magnitude = digits as f64 / POWERS_OF_TEN.get(decimals.unwrap_or(0))?;
                Self::Broken(if is_negative { -magnitude } else { magnitude })
            }
        })
    }

    /// The double that it is.
    pub fn value(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::NegativeWhole(number) => number as f64,
            Self::Broken(number) => number,
        }
    }
}

/// A number as JSON spells it, and nothing around it. Too large for a double is infinite, as in JavaScript.
/// `None` where it is no number.
pub fn read(text: &[u8]) -> Option<f64> {
    ShortNumber::read(text).map(ShortNumber::value).or_else(|| read_long(text))
}

fn read_long(text: &[u8]) -> Option<f64> {
    let (is_negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let whole_count = count_digits(rest);
    let (whole, rest) = rest.split_at_checked(whole_count)?;
    if whole.is_empty() || matches!(whole, [b'0', _, ..]) {
        return None;
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            rest.split_at_checked(count_digits(rest)).filter(|(digits, _)| !digits.is_empty())?
        }
        _ => (&rest[..0], rest),
    };
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', rest @ ..] => read_exponent(rest)?,
        _ => return None,
    };
    let magnitude = decimal(whole, fraction, exponent - fraction.len() as i64);
    Some(if is_negative { -magnitude } else { magnitude })
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        _ => (1, text),
    };
    if digits.is_empty() || count_digits(digits) < digits.len() {
        return None;
    }
    // Far beyond what any number of digits could make up for.
    let add = |sum: i64, digit: &u8| (sum * 10 + i64::from(digit - b'0')).min(1 << 40);
    Some(sign * digits.iter().fold(0, add))
}

/// The digits of both parts in a row, times a power of ten.
fn decimal(whole: &[u8], fraction: &[u8], exponent: i64) -> f64 {
    let power = usize::try_from(exponent.unsigned_abs()).ok().and_then(|it| POWERS_OF_TEN.get(it));
    if let Some(power) = power
        && whole.len() + fraction.len() <= 19
    {
        let add = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
        let value = fraction.iter().fold(whole.iter().fold(0, add), add);
        if value < EXACT_BEFORE {
            return if exponent < 0 { value as f64 / power } else { value as f64 * power };
        }
    }
    exact_decimal(&[whole, fraction].concat(), exponent)
}

fn exact_decimal(digits: &[u8], mut exponent: i64) -> f64 {
    let zero_count = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zero_count..).unwrap_or_default();
    let magnitude = digits.len() as i64 + exponent;
    if digits.is_empty() || magnitude < -330 {
        return 0.0;
    }
    if 310 < magnitude {
        return f64::INFINITY;
    }
    let (deciding, others) = digits.split_at(digits.len().min(DIGITS_MAX));
    let mut value = Integer::from(0);
    deciding.iter().for_each(|digit| value.multiply_add(10, u32::from(digit - b'0')));
    if !others.is_empty() {
        exponent += others.len() as i64 - 1;
        value.multiply_add(10, u32::from(others.iter().any(|digit| *digit != b'0')));
    }
    let mut has_rest = false;
    let mut shift = 0;
    if 0 <= exponent {
        value.multiply_power_of_ten(exponent as usize);
    } else {
        // So far to the left that the quotient has more than 64 bits.
        shift = (exponent.unsigned_abs() as usize * 10 / 3 + 68).saturating_sub(value.bit_count());
        value.shift_left(shift);
        for _ in 0..exponent.unsigned_abs() {
            has_rest |= value.divide(10) != 0;
        }
    }
    rounded(&value, shift as i64, has_rest)
}

/// The double nearest to an integer, and something less than one more where there is a rest, divided by a power of
/// two. Of two that are equally near, the even one.
fn rounded(value: &Integer, shift: i64, has_rest: bool) -> f64 {
    let (highest, is_cut) = value.highest_bits();
    let bits = highest | u64::from(is_cut || has_rest);
    let exponent = value.bit_count() as i64 - 1 - shift;
    let kept_bits = 53 - (EXPONENT_MIN - exponent).max(0);
    let significand = match kept_bits {
        1.. => {
            let dropped_bits = 64 - kept_bits;
            let (kept, dropped) = (bits >> dropped_bits, bits << kept_bits);
            kept + u64::from(1 << 63 < dropped || dropped == 1 << 63 && kept & 1 == 1)
        }
        0 => u64::from(1 << 63 < bits),
        _ => 0,
    };
    if 1023 < exponent {
        return f64::INFINITY;
    }
    // A significand that was rounded up to the next power of two carries into the exponent, as it should.
    let biased = (exponent - EXPONENT_MIN).max(0) as u64;
    f64::from_bits((biased << 52) + significand)
}

/// Writes a number as JavaScript does. What is not finite is `null`, as in JSON.
pub fn write(number: f64, text: &mut String) {
    if !number.is_finite() {
        return text.push_str("null");
    }
    if number < 0.0 {
        text.push('-');
    }
    let magnitude = number.abs();
    if let Some((digits, decimals)) = short_digits(magnitude) {
        let mut spelled = [0; 20];
        let spelled = decimal_digits(digits, &mut spelled);
        return place_point(spelled, spelled.len() as i64 - decimals, text);
    }
    let (digits, point) = shortest_digits(magnitude);
    place_point(&digits, point, text);
}

/// The digits of a number that has at most 15 of them, and how many stand behind the point. So few that no
/// two numbers with different digits are one double, so these are the shortest.
fn short_digits(magnitude: f64) -> Option<(u64, i64)> {
    for (decimals, power) in POWERS_OF_TEN.iter().enumerate().take(9) {
        let scaled = magnitude * power;
        if 1e15 <= scaled {
            break;
        }
        // Rounded, because the product may be a little off; the division then says whether it was right.
        let digits = (scaled + 0.5) as u64;
        if digits as f64 / power == magnitude && (digits != 0 || magnitude == 0.0) {
            return Some((digits, decimals as i64));
        }
    }
    None
}

fn decimal_digits(mut value: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut first = buffer.len();
    loop {
        first -= 1;
        buffer[first] = (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &buffer[first..];
        }
    }
}

/// The fewest digits that are read as this number and no other, and of those the nearest; behind which of them
/// the decimal point stands. By the free-format algorithm of Steele and White in the form of Burger and Dybvig,
/// "Printing Floating-Point Numbers Quickly and Accurately" (1996).
fn shortest_digits(magnitude: f64) -> (Vec<u8>, i64) {
    let mut gap = Gap::around(magnitude);
    let point = gap.place_point();
    let mut digits = Vec::new();
    loop {
        match gap.next_digit() {
            Digit::Inner(digit) => digits.push(digit),
            Digit::Last(digit) => {
                digits.push(digit);
                return (digits, point);
            }
        }
    }
}

/// What is left of a number to be written, and how far what is written may be off: all of them multiples of
/// one over `unit`.
struct Gap {
    rest: Integer,
    unit: Integer,
    /// Half the way to the next higher double.
    above: Integer,
    /// Half the way to the next lower double.
    below: Integer,
    /// At most the wanted place of the point.
    point_min: i64,
    /// Whether what lies exactly between two doubles is read as this one.
    is_even: bool,
}

enum Digit {
    Inner(u8),
    Last(u8),
}

impl Gap {
    fn around(magnitude: f64) -> Self {
        let bits = magnitude.to_bits();
        let (biased, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
        let (significand, exponent) = match biased {
            0 => (fraction, EXPONENT_MIN - 52),
            _ => (fraction | 1 << 52, biased as i64 - 1075),
        };
        let is_even = significand & 1 == 0;
        // The next lower double is only half as far away below a power of two.
        let is_lower_nearer = fraction == 0 && 1 < biased;
        let wider = 1 + u32::from(is_lower_nearer);
        let mut rest = Integer::from(significand);
        let (mut unit, mut above, mut below) = (Integer::from(1), Integer::from(1), Integer::from(1));
        let up = exponent.max(0) as usize;
        rest.shift_left(up + wider as usize);
        below.shift_left(up);
        above.shift_left(up + wider as usize - 1);
        unit.shift_left((-exponent).max(0) as usize + wider as usize);

        // The logarithm of two, a little too small.
        let highest_bit = exponent + 63 - i64::from(significand.leading_zeros());
        let point_min = ((highest_bit * 78_913) >> 18) - 1;
        Self { rest, unit, above, below, point_min, is_even }
    }

    /// Where the decimal point stands, counted from before the first digit. From then on digits can be taken.
    fn place_point(&mut self) -> i64 {
        let mut point = self.point_min;
        if 0 <= point {
            self.unit.multiply_power_of_ten(point as usize);
        } else {
            let power = point.unsigned_abs() as usize;
            self.multiples().into_iter().for_each(|integer| integer.multiply_power_of_ten(power));
        }
        while self.reaches_up() {
            self.unit.multiply_add(10, 0);
            point += 1;
        }
        point
    }

    fn next_digit(&mut self) -> Digit {
        self.multiples().into_iter().for_each(|integer| integer.multiply_add(10, 0));
        let mut digit = 0;
        while self.rest.cmp(&self.unit).is_ge() {
            self.rest.subtract(&self.unit);
            digit += 1;
        }
        let ordering = self.rest.cmp(&self.below);
        let is_low = ordering.is_lt() || self.is_even && ordering.is_eq();
        let is_high = self.reaches_up();
        if !is_low && !is_high {
            return Digit::Inner(digit);
        }
        // Exactly between two digits, the even one: 1105546949515100.75 is written with an 8 at its end, and
        // 1105546949515100.25 with a 2.
        let half = self.rest.plus(&self.rest).cmp(&self.unit);
        let is_up = is_high && (!is_low || half.is_gt() || half.is_eq() && digit % 2 == 1);
        Digit::Last(digit + u8::from(is_up))
    }

    /// Whether what is left is so little less than the next higher digit that this would be read as well.
    fn reaches_up(&self) -> bool {
        let ordering = self.rest.plus(&self.above).cmp(&self.unit);
        ordering.is_gt() || self.is_even && ordering.is_eq()
    }

    fn multiples(&mut self) -> [&mut Integer; 3] {
        [&mut self.rest, &mut self.above, &mut self.below]
    }
}

/// Writes digits with the point where JavaScript has it, or with an exponent where it would be far away.
fn place_point(digits: &[u8], point: i64, text: &mut String) {
    let count = digits.len() as i64;
    if count <= point && point <= 21 {
        push_digits(digits, text);
        (count..point).for_each(|_| text.push('0'));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(point as usize);
        push_digits(whole, text);
        text.push('.');
        push_digits(fraction, text);
    } else if -6 < point && point <= 0 {
        text.push_str("0.");
        (point..0).for_each(|_| text.push('0'));
        push_digits(digits, text);
    } else {
        let (first, others) = digits.split_at(1);
        push_digits(first, text);
        if !others.is_empty() {
            text.push('.');
            push_digits(others, text);
        }
        text.push_str(if point < 1 { "e-" } else { "e+" });
        push_digits(decimal_digits((point - 1).unsigned_abs(), &mut [0; 20]), text);
    }
}

fn push_digits(digits: &[u8], text: &mut String) {
    digits.iter().for_each(|digit| text.push(char::from(b'0' + digit)));
}
