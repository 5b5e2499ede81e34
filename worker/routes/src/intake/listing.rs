//! Which files there are.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::intake::record::Stat;
use crate::load::read::plain;
use crate::model::route::Glob;

/// A file that the pattern finds.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// The path as it stands in ids and records.
    pub(super) name: String,
    pub(super) stat: Stat,
    /// The folder below which no link is followed; `None` where the path is written out.
    pub(super) below: Option<PathBuf>,
}

/// What a look at the disk gave.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of their paths.
    pub(super) files: Vec<Found>,
    /// The first thing that could not be read, in words.
    pub(super) unreadable: Option<String>,
}

/// Lists the files of a pattern. Blocks.
pub(super) fn list(glob: &Glob) -> Listing {
    let mut listing = Listing::default();
    let is_literal = !glob.written.contains(['*', '?', '[']);
    let paths = match glob::glob(&glob.pattern) {
        Ok(paths) => paths,
        Err(error) => {
            listing.unreadable = Some(format!("the pattern {} is wrong: {error}", glob.written));
            return listing;
        }
    };
    let below = (!is_literal).then(|| PathBuf::from(fixed_folder(glob)));
    for path in paths {
        match path {
            Ok(path) => add(&mut listing, path, below.as_ref()),
            Err(error) => {
                let reason = format!(
                    "{} cannot be read: {}",
                    error.path().display(),
                    plain(error.error())
                );
                listing.unreadable.get_or_insert(reason);
            }
        }
    }
    if is_literal && listing.files.is_empty() && listing.unreadable.is_none() {
        listing.unreadable = Some(format!("there is no file {}", glob.written));
    }
    if listing.unreadable.is_none() {
        listing.unreadable = closed_folder(glob).or_else(|| nameless(glob));
    }
    listing
}

/// A file whose name the pattern crate passes over in silence, since it is no UTF-8.
fn nameless(glob: &Glob) -> Option<String> {
    let (folders, name) = glob.pattern.rsplit_once('/')?;
    let name = glob::Pattern::new(name).ok()?;
    let folders = if folders.is_empty() { "/" } else { folders };
    for folder in glob::glob(folders).ok()?.filter_map(Result::ok) {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let file = entry.file_name();
            if file.to_str().is_none() && name.matches(&file.to_string_lossy()) {
                let path = file.as_encoded_bytes().escape_ascii();
                return Some(format!(
                    "the name of {}/{path} is no UTF-8; rename it",
                    folder.display()
                ));
            }
        }
    }
    None
}

/// What a look at the files of a pattern cannot read now, in words. Blocks.
pub(crate) fn unreadable(glob: &Glob) -> Option<String> {
    list(glob).unreadable
}

fn add(listing: &mut Listing, path: PathBuf, below: Option<&PathBuf>) {
    let metadata = match below {
        Some(_) => std::fs::symlink_metadata(&path),
        None => std::fs::metadata(&path),
    };
    let metadata = match metadata {
        Ok(metadata) => metadata,
        // It was there a moment ago: another process took it away.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            let reason = format!("{} cannot be read: {}", path.display(), plain(&error));
            listing.unreadable.get_or_insert(reason);
            return;
        }
    };
    if metadata.is_symlink() {
        let reason = format!(
            "{} is a symbolic link, which a pattern does not follow; name the file itself",
            path.display()
        );
        listing.unreadable.get_or_insert(reason);
        return;
    }
    if !metadata.is_file() {
        return;
    }
    let modified_ns = metadata
        .mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(metadata.mtime_nsec());
    listing.files.push(Found {
        name: path.to_string_lossy().into_owned(),
        stat: Stat {
            len: metadata.len(),
            modified_ns,
            inode: metadata.ino(),
        },
        below: below.cloned(),
        path,
    });
}

/// The part of the pattern that is written out, up to its last folder.
fn fixed_folder(glob: &Glob) -> &str {
    let fixed = glob.pattern.split(['*', '?', '[']).next();
    let folder = fixed.unwrap_or_default().rsplit_once('/');
    match folder {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}

/// The pattern crate passes over a folder that may not be read where the pattern begins.
fn closed_folder(glob: &Glob) -> Option<String> {
    let folder = fixed_folder(glob);
    let error = std::fs::read_dir(folder).err()?;
    if error.kind() == std::io::ErrorKind::NotFound {
        return Some(format!("there is no folder {folder}"));
    }
    Some(format!("{folder} cannot be read: {}", plain(&error)))
}
