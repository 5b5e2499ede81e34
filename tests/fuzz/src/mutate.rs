//! Breaking inputs.

use fastrand::Rng;

/// Inputs do not grow beyond this.
const LENGTH_MAX: usize = 16 * 1024;
/// What parsers stumble over.
const PIECES: [&[u8]; 34] = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"{{",
    b"}}",
    b":",
    b",",
    b"=",
    b"-",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"9223372036854775807",
    b"null",
    b"true",
    b"\\ud800",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"..",
    b"/",
    b"%00",
];
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    u64::MAX,
];

/// One of the inputs, broken once or several times.
pub(crate) fn mutated(inputs: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = any(inputs, random).to_vec();
    for _ in 0..1 << random.u32(0..4) {
        break_once(&mut input, inputs, random);
    }
    input.truncate(LENGTH_MAX);
    input
}

fn any<'a>(inputs: &'a [Vec<u8>], random: &mut Rng) -> &'a [u8] {
    match inputs.len() {
        0 => &[],
        count => &inputs[random.usize(0..count)],
    }
}

fn break_once(input: &mut Vec<u8>, inputs: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(0..=input.len());
    let end = (at + (1 << random.u32(0..6))).min(input.len());
    match random.u32(0..10) {
        // A bit, a byte.
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.u32(0..8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        // A part away, twice, elsewhere.
        2 => drop(input.drain(at..end)),
        3 => {
            let part = input[at..end].to_vec();
            insert(input, at, &part);
        }
        4 => {
            let part: Vec<_> = input.drain(at..end).collect();
            let to = random.usize(0..=input.len());
            insert(input, to, &part);
        }
        // The end away.
        5 => input.truncate(at),
        // Something that means something.
        6 => insert(input, at, PIECES[random.usize(0..PIECES.len())]),
        7 => {
            let number = NUMBERS[random.usize(0..NUMBERS.len())];
            let width = 1 << random.u32(0..4);
            let bytes = number.to_be_bytes();
            let part = &bytes[bytes.len() - width..];
            let end = (at + width).min(input.len());
            input.splice(at..end, part.iter().copied());
        }
        // The end of another input, a part of another one.
        8 => {
            let other = any(inputs, random);
            input.truncate(at);
            input.extend_from_slice(&other[random.usize(0..=other.len())..]);
        }
        _ => {
            let other = any(inputs, random);
            let from = random.usize(0..=other.len());
            let to = (from + (1 << random.u32(0..7))).min(other.len());
            insert(input, at, &other[from..to]);
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    if input.len() + part.len() <= LENGTH_MAX {
        input.splice(at..at, part.iter().copied());
    }
}
