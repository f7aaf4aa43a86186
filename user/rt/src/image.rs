//! ELF files of programs, page by page.
//!
//! What must hold: no page belongs to two segments, and all of them lie between `place::IMAGE` and the
//! runtime's own addresses; what is writable is not executable by intent (ia32 without PAE has no bit
//! for that). The file comes from whoever wrote the program, so everything is checked.

use core::ops::Range;

use elf::ElfBytes;
use elf::abi::{EM_386, ET_EXEC, PF_W, PT_LOAD};
use elf::endian::LittleEndian;
use elf::file::Class;
use elf::segment::ProgramHeader;
use freehold_abi::info::place;
use freehold_abi::layout::FRAME;

use crate::layout;

/// Where segments may lie.
const PLACE: Range<u64> = place::IMAGE as u64..layout::BOOKS as u64;
/// Segments of a program, at most.
pub const SEGMENTS_MAX: usize = 8;

/// Why a file is not a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// It is not an ELF file, or its headers run past its end.
    NotElf,
    /// It is one for another machine, or not an executable with fixed addresses.
    OtherMachine,
    /// Nothing is to be loaded, or there are more than [`SEGMENTS_MAX`] segments.
    Segments,
    /// A segment does not lie where programs do, or its contents not in the file.
    Place,
    /// Two segments share a page.
    SharedPage,
    /// The entry point lies in no segment.
    Entry,
}

/// A segment: a range of addresses, what of it comes from the file, whether it is written.
#[derive(Clone, Copy, Debug)]
struct Segment<'a> {
    address: u32,
    bytes: u32,
    contents: &'a [u8],
    writable: bool,
}

/// A program's file.
#[derive(Debug)]
pub struct Image<'a> {
    segments: [Option<Segment<'a>>; SEGMENTS_MAX],
    entry: u32,
}

/// One page of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// Its address.
    pub address: u32,
    /// Whether the program may write it.
    pub writable: bool,
    /// Offset of its contents; all else is 0.
    pub offset: usize,
    /// Its contents.
    pub contents: &'a [u8],
}

impl<'a> Image<'a> {
    /// Reads the headers of a file.
    ///
    /// # Errors
    /// [`ImageError`].
    pub fn parse(file: &'a [u8]) -> Result<Image<'a>, ImageError> {
        let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|_| ImageError::NotElf)?;
        let header = &elf.ehdr;
        if header.class != Class::ELF32 || header.e_machine != EM_386 || header.e_type != ET_EXEC {
            return Err(ImageError::OtherMachine);
        }
        let mut image = Image { segments: [None; SEGMENTS_MAX], entry: header.e_entry as u32 };
        let headers = elf.segments().ok_or(ImageError::Segments)?;
        let mut loads = headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_memsz != 0);
        for place in &mut image.segments {
            let Some(header) = loads.next() else { break };
            *place = Some(Segment::read(file, &header)?);
        }
        if loads.next().is_some() || image.segments[0].is_none() {
            return Err(ImageError::Segments);
        }
        image.check()?;
        Ok(image)
    }

    fn check(&self) -> Result<(), ImageError> {
        for (index, segment) in self.segments().enumerate() {
            for other in self.segments().take(index) {
                if segment.pages().start < other.pages().end && other.pages().start < segment.pages().end {
                    return Err(ImageError::SharedPage);
                }
            }
        }
        let inside =
            |segment: &Segment| self.entry.wrapping_sub(segment.address) < segment.bytes && !segment.writable;
        if self.segments().any(inside) { Ok(()) } else { Err(ImageError::Entry) }
    }

    fn segments(&self) -> impl Iterator<Item = &Segment<'a>> {
        self.segments.iter().flatten()
    }

    /// Where the program begins.
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// Pages of all segments.
    pub fn page_count(&self) -> u32 {
        self.segments().map(|segment| segment.pages().len() as u32).sum()
    }

    /// The pages.
    pub fn pages(&self) -> impl Iterator<Item = Page<'a>> {
        self.segments().flat_map(|segment| segment.pages().map(|number| segment.page(number * FRAME)))
    }
}

impl<'a> Segment<'a> {
    fn read(file: &'a [u8], header: &ProgramHeader) -> Result<Segment<'a>, ImageError> {
        let end = |start: u64, bytes: u64| start.checked_add(bytes).ok_or(ImageError::Place);
        let memory = header.p_vaddr..end(header.p_vaddr, header.p_memsz)?;
        let in_file = header.p_offset..end(header.p_offset, header.p_filesz)?;
        let fits = memory.start >= PLACE.start && memory.end <= PLACE.end;
        if !fits || header.p_filesz > header.p_memsz || in_file.end > file.len() as u64 {
            return Err(ImageError::Place);
        }
        Ok(Segment {
            address: memory.start as u32,
            bytes: header.p_memsz as u32,
            contents: &file[in_file.start as usize..in_file.end as usize],
            writable: header.p_flags & PF_W != 0,
        })
    }

    /// Page numbers.
    fn pages(&self) -> Range<u32> {
        self.address / FRAME..(self.address + self.bytes).div_ceil(FRAME)
    }

    fn page(&self, address: u32) -> Page<'a> {
        // The page may begin before the segment, and the segment's contents before the page.
        let offset = self.address.saturating_sub(address) as usize;
        let skip = (address.saturating_sub(self.address) as usize).min(self.contents.len());
        let rest = &self.contents[skip..];
        let contents = &rest[..rest.len().min(FRAME as usize - offset)];
        Page { address, writable: self.writable, offset, contents }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these segments: address, bytes in memory, contents, flags.
    fn file(entry: u32, segments: &[(u32, u32, &[u8], u32)]) -> Vec<u8> {
        let mut file = vec![0x7F, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
        let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
        half(&mut file, ET_EXEC);
        half(&mut file, EM_386);
        for value in [1, entry, 52, 0, 0] {
            word(&mut file, value);
        }
        for value in [52, 32, segments.len() as u16, 0, 0, 0] {
            half(&mut file, value);
        }
        let mut offset = 52 + 32 * segments.len() as u32;
        for &(address, bytes, contents, flags) in segments {
            let length = contents.len() as u32;
            for value in [PT_LOAD, offset, address, address, length, bytes, flags, 4096] {
                word(&mut file, value);
            }
            offset += length;
        }
        segments.iter().for_each(|segment| file.extend(segment.2));
        file
    }

    fn error(entry: u32, segments: &[(u32, u32, &[u8], u32)]) -> ImageError {
        Image::parse(&file(entry, segments)).expect_err("not a program")
    }

    #[test]
    fn pages_hold_contents_then_zeroes() {
        let (text, data) = ([1; 5000], [2; 10]);
        let file = file(0x400010, &[(0x400000, 5000, &text, 5), (0x402ff8, 4096, &data, 6)]);
        let image = Image::parse(&file).expect("a program");
        assert_eq!((image.entry(), image.page_count()), (0x400010, 4));
        let pages: Vec<Page> = image.pages().collect();
        let seen = |page: &Page| (page.address, page.writable, page.offset, page.contents.len());
        assert_eq!(
            pages.iter().map(seen).collect::<Vec<_>>(),
            [
                (0x400000, false, 0, 4096),
                (0x401000, false, 0, 904),
                (0x402000, true, 0xff8, 8),
                (0x403000, true, 0, 2),
            ]
        );
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let text: (u32, u32, &[u8], u32) = (0x400000, 16, &[0; 16], 5);
        assert_eq!(Image::parse(b"#!/bin/sh").expect_err("text"), ImageError::NotElf);
        let mut other = file(0x400000, &[text]);
        other[18] = 40;
        assert_eq!(Image::parse(&other).expect_err("another machine"), ImageError::OtherMachine);
        assert_eq!(error(0x400000, &[]), ImageError::Segments);
        assert_eq!(error(0x400000, &[text; 9]), ImageError::Segments);
        assert_eq!(error(0x3ff000, &[(0x3ff000, 16, &[0; 16], 5)]), ImageError::Place);
        assert_eq!(error(0x400000, &[(0x400000, 0xffff_ffff, &[0; 16], 5)]), ImageError::Place);
        assert_eq!(error(0x400000, &[(0x400000, 8, &[0; 16], 5)]), ImageError::Place);
        assert_eq!(error(0x400000, &[text, (0x400800, 8, &[], 6)]), ImageError::SharedPage);
        assert_eq!(error(0x400010, &[text]), ImageError::Entry);
        assert_eq!(error(0x401000, &[text, (0x401000, 8, &[0; 8], 6)]), ImageError::Entry);
        let cut = file(0x400000, &[text]);
        assert_eq!(Image::parse(&cut[..cut.len() - 1]).expect_err("cut off"), ImageError::Place);
    }
}
