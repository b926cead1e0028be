//! Portraits: valid JPEGs that are cheap enough for fifty thousand people.

use effects::SeededRandom;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use std::sync::OnceLock;

const PICTURES: usize = 64;
const EDGE_PX: u32 = 96;
const QUALITY: u8 = 85;

/// A picture of somebody, drawn when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Photo(u64);

impl Photo {
    pub fn new(seed: u64) -> Self {
        Photo(seed)
    }

    /// The JPEG: one of [`PICTURES`] drawings, which are drawn once, with a
    /// comment of its own, so that no two people have the same bytes.
    pub fn jpeg(self) -> Vec<u8> {
        static DRAWN: [OnceLock<Vec<u8>>; PICTURES] = [const { OnceLock::new() }; PICTURES];
        let which = (self.0 % PICTURES as u64) as usize;
        let drawing = DRAWN[which].get_or_init(|| draw(which as u64));
        let comment = format!("portrait {:016x}", self.0);
        let length = u16::try_from(comment.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
        // A comment segment may stand right behind the start-of-image marker.
        let (start, rest) = drawing.split_at(2);
        [start, &[0xff, 0xfe], &length, comment.as_bytes(), rest].concat()
    }
}

/// A mirrored pattern of squares over a gradient, with a little grain.
fn draw(seed: u64) -> Vec<u8> {
    let random = SeededRandom::new(seed);
    let (ink, paper, cells) = (random.next_u64(), random.next_u64(), random.next_u64());
    let picture = RgbImage::from_fn(EDGE_PX, EDGE_PX, |x, y| {
        let column = (x / 16).min(5 - x / 16);
        let inked = cells >> (column * 6 + y / 16) & 1 == 1;
        let colour = if inked { ink } else { paper }.to_le_bytes();
        let grain = (random.next_u64() % 24) as u8;
        Rgb([0, 1, 2].map(|i| (colour[i] / 2).saturating_add(y as u8).saturating_add(grain)))
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&picture)
        .expect("a small RGB picture always encodes into memory");
    jpeg
}
