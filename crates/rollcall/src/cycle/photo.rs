//! Makes a picture fit for the side that is to take it. Byte-exact wherever it
//! fits already; a derived picture names its original in a comment.

use crate::limits;
use anyhow::{Result, anyhow};
use fast_image_resize as fir;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageReader, Limits};
use reconcile::canonical;
use std::io::Cursor;

/// Longest sides tried, in pixels, and with each of them the qualities.
const SIDES: [u32; 3] = [limits::PHOTO_SIDE_MAX, limits::PHOTO_SIDE_MAX / 2, limits::PHOTO_SIDE_MAX / 4];
/// JPEG qualities tried, from best to smallest.
const QUALITIES: [u8; 4] = [88, 75, 60, 40];
/// Memory one picture may take to decode, bytes.
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The picture itself if it has at most `bytes_max`, else one derived from it.
pub fn fit(original: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>> {
    if original.len() <= bytes_max {
        return Ok(original);
    }
    let picture = decode(&original)?;
    let comment = canonical::derived_comment(&original);
    for side_max in SIDES {
        let small = shrunk(&picture, side_max)?;
        for quality in QUALITIES {
            let mut jpeg = Vec::new();
            small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality))?;
            let marked = canonical::insert_comment(&jpeg, &comment);
            let marked =
                marked.ok_or_else(|| anyhow!("the picture could not be marked with its original"))?;
            if marked.len() <= bytes_max {
                return Ok(marked);
            }
        }
    }
    Err(anyhow!("the picture could not be shrunk to {bytes_max} bytes"))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let (width, height) = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_dimensions()?;
    if u64::from(width) * u64::from(height) > limits::PHOTO_PIXELS_MAX {
        return Err(anyhow!("the picture has {width}×{height} pixels, too many to shrink"));
    }
    Ok(reader.decode()?)
}

fn shrunk(picture: &DynamicImage, side_max: u32) -> Result<DynamicImage> {
    let rgb = DynamicImage::ImageRgb8(picture.to_rgb8());
    let side = rgb.width().max(rgb.height());
    if side <= side_max {
        return Ok(rgb);
    }
    let scaled = |length: u32| {
        let length = u64::from(length) * u64::from(side_max) / u64::from(side);
        u32::try_from(length).unwrap_or(1).max(1)
    };
    let mut small = DynamicImage::new_rgb8(scaled(rgb.width()), scaled(rgb.height()));
    fir::Resizer::new().resize(&rgb, &mut small, None)?;
    Ok(small)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(original.len() > limits::AD_PHOTO_BYTES_MAX);
        let small = fit(original.clone(), limits::AD_PHOTO_BYTES_MAX).unwrap();
        assert!(small.len() <= limits::AD_PHOTO_BYTES_MAX);
        let (small, original) = (canonical::photo(&small).unwrap(), canonical::photo(&original).unwrap());
        assert!(small.equivalent(&original));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(fit(vec![0xff; 200_000], 100_000).is_err());
    }
}
