//! Makes a picture fit for the side that is to take it. Byte-exact wherever it
//! fits already; a derived picture names its original in a comment.
//!
//! A crate of its own because this is the one place where pictures, which come
//! from strangers, are decoded: it can be fuzzed without the rest.

#![forbid(unsafe_code)]

use fast_image_resize as fir;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageError, ImageReader, Limits, RgbImage};
use reconcile::canonical;
use std::io::Cursor;
use thiserror::Error;

/// Pictures beyond this many pixels are not decoded.
pub const PIXELS_MAX: u64 = 50_000_000;
/// Longest side of a picture that had to be shrunk, in pixels.
pub const SIDE_MAX: u32 = 648;
/// Longest sides tried, in pixels, and with each of them the qualities.
const SIDES: [u32; 3] = [SIDE_MAX, SIDE_MAX / 2, SIDE_MAX / 4];
/// JPEG qualities tried, from best to smallest.
const QUALITIES: [u8; 4] = [88, 75, 60, 40];
/// Memory one picture may take to decode, bytes.
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Error)]
pub enum Error {
    #[error("the picture cannot be read: {0}")]
    Unreadable(#[from] ImageError),
    #[error("the picture has {width}×{height} pixels, too many to shrink")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the picture cannot be resized: {0}")]
    Resize(#[from] fir::ResizeError),
    #[error("the picture could not be shrunk to {0} bytes")]
    TooLarge(usize),
}

/// The picture itself if it has at most `bytes_max`, else one derived from it.
pub fn fit(original: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, Error> {
    if original.len() <= bytes_max {
        return Ok(original);
    }
    let mut small = decode(&original)?.into_rgb8();
    let comment = canonical::derived_comment(&original);
    for side_max in SIDES {
        // From the last one: a large picture is gone through once.
        small = shrunk(small, side_max)?;
        for quality in QUALITIES {
            let mut jpeg = Vec::new();
            small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality))?;
            let marked = canonical::insert_comment(&jpeg, &comment).expect("the encoder makes JPEGs");
            if marked.len() <= bytes_max {
                return Ok(marked);
            }
        }
    }
    Err(Error::TooLarge(bytes_max))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, Error> {
    let (width, height) = opened(bytes)?.into_dimensions()?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(Error::TooManyPixels { width, height });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    let mut reader = opened(bytes)?;
    reader.limits(limits);
    Ok(reader.decode()?)
}

fn opened(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, ImageError> {
    ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(ImageError::IoError)
}

fn shrunk(picture: RgbImage, side_max: u32) -> Result<RgbImage, Error> {
    let side = picture.width().max(picture.height());
    if side <= side_max {
        return Ok(picture);
    }
    let scaled = |length: u32| {
        let length = u64::from(length) * u64::from(side_max) / u64::from(side);
        u32::try_from(length).unwrap_or(1).max(1)
    };
    let mut small = DynamicImage::new_rgb8(scaled(picture.width()), scaled(picture.height()));
    fir::Resizer::new().resize(&DynamicImage::ImageRgb8(picture), &mut small, None)?;
    Ok(small.into_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Active Directory takes.
    const BYTES_MAX: usize = 102_400;

    fn noise(width: u32, height: u32) -> Vec<u8> {
        let mut state = 1u32;
        let picture = image::RgbImage::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
        });
        let mut jpeg = Vec::new();
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 95)).unwrap();
        jpeg
    }

    #[test]
    fn what_fits_stays_byte_exact() {
        let original = noise(40, 40);
        assert_eq!(fit(original.clone(), 1 << 20).unwrap(), original);
    }

    #[test]
    fn what_is_too_large_is_derived_and_known_by_its_original() {
        let original = noise(1_200, 800);
        assert!(original.len() > BYTES_MAX);
        let small = fit(original.clone(), BYTES_MAX).unwrap();
        assert!(small.len() <= BYTES_MAX);
        let (small, original) = (canonical::photo(&small).unwrap(), canonical::photo(&original).unwrap());
        assert!(small.equivalent(&original));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(fit(vec![0xff; 200_000], 100_000).is_err());
    }
}
