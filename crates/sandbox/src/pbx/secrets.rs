//! SIP passwords: their strength as the PBX counts it, and new ones.

use super::faults::below;
use effects::Random;

const LENGTH_MAX: usize = 64;
const SCORE_MIN: i32 = 60;
const DEFAULTS: [&str; 5] = ["admin", "password", "1234", "12345", "secret"];
/// The real dictionary is long. These are what people try.
const COMMON: [&str; 20] = [
    "password1",
    "1234567",
    "311311",
    "test1234",
    "123456",
    "12345678",
    "123456789",
    "qwerty",
    "qwerty123",
    "111111",
    "letmein",
    "welcome",
    "monkey",
    "dragon",
    "abc123",
    "iloveyou",
    "passw0rd",
    "admin123",
    "000000",
    "1q2w3e4r",
];
const SEQUENCES: [&str; 12] = [
    "qwerty", "asdfgh", "zxcvbn", "12345", "23456", "34567", "45678", "56789", "abcde", "bcdef", "cdefg",
    "defgh",
];
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// What is wrong with a SIP password, in the order of the PBX.
pub(super) fn problems(secret: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if secret.len() < 5 {
        problems.push("SIP password must be longer than 4 characters");
    }
    if secret.len() > LENGTH_MAX {
        problems.push("Password is too long (maximum 64 characters)");
    }
    if DEFAULTS.contains(&secret) {
        problems.push("Default password is being used");
    }
    if problems.is_empty() && COMMON.contains(&secret.to_lowercase().as_str()) {
        problems.push("This password is too common and easily guessable.");
    }
    if score(secret) < SCORE_MIN {
        problems.push("For security, password must have at least fair strength");
    }
    problems.into_iter().map(str::to_owned).collect()
}

/// 0 to 100, counted over bytes.
pub(super) fn score(secret: &str) -> i32 {
    let bytes = secret.as_bytes();
    let (lower, upper, digit) = (
        bytes.iter().any(u8::is_ascii_lowercase),
        bytes.iter().any(u8::is_ascii_uppercase),
        bytes.iter().any(u8::is_ascii_digit),
    );
    let other = bytes.iter().any(|b| !b.is_ascii_alphanumeric());
    let classes = i32::from(lower) + i32::from(upper) + i32::from(digit) + i32::from(other);
    let folded = secret.to_ascii_lowercase();
    let backwards: String = folded.chars().rev().collect();
    let sequence = SEQUENCES.iter().any(|known| folded.contains(known) || backwards.contains(known));
    let mut score = match bytes.len() {
        16.. => 30,
        12.. => 20,
        8.. => 10,
        short => i32::try_from(short).unwrap_or(0),
    };
    score += 10 * classes + variety(bytes);
    if classes >= 3 && bytes.len() >= 12 {
        score += 10;
    }
    if bytes.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]) {
        score -= 10;
    }
    if sequence {
        score -= 10;
    }
    if (lower || upper) && !digit && !other && bytes.len() < 10 {
        score -= 15;
    }
    score.clamp(0, 100)
}

/// Twenty characters without specials.
pub(super) fn generate(random: &dyn Random) -> String {
    random_text(random, 20)
}

/// Letters and digits that cannot be taken for each other.
pub(super) fn random_text(random: &dyn Random, length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[below(random, ALPHABET.len() as u64) as usize])).collect()
}

fn variety(bytes: &[u8]) -> i32 {
    let mut unique = bytes.to_vec();
    unique.sort_unstable();
    unique.dedup();
    match unique.len() * 10 {
        part if part > bytes.len() * 7 => 20,
        part if part > bytes.len() * 5 => 15,
        part if part > bytes.len() * 3 => 10,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effects::SeededRandom;

    #[test]
    fn scores_are_those_of_the_pbx() {
        for (secret, expected) in
            [("test1234", 50), ("StrongP@ss123", 90), ("12345", 25), ("Ab1$", 64), ("qwzjxkv", 22)]
        {
            assert_eq!(score(secret), expected, "{secret}");
        }
    }

    #[test]
    fn generated_passwords_are_accepted() {
        let random = SeededRandom::new(7);
        for _ in 0..1000 {
            assert_eq!(problems(&generate(&random)), Vec::<String>::new());
        }
    }
}
