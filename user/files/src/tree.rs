//! The file system: nodes with numbers, directories that map names to them.
//!
//! What must hold: a node's number is its place in the list and never changes; every name in a directory leads
//! to a node that is there. Numbers are all that callers hold, so there is nothing to close.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use freehold_protocol::files::ATTRIBUTES;

/// A directory's entries: the nodes' numbers by name.
pub type Entries = BTreeMap<Box<[u8]>, u32>;

/// What a node is.
pub enum Content {
    /// A file: its bytes.
    File(Vec<u8>),
    /// A directory.
    Directory(Entries),
}

/// A file or a directory.
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Mode, owner and so on; the server keeps them for callers, and does not look at them.
    pub attributes: [u32; ATTRIBUTES],
}

impl Node {
    /// Bytes of a file, entries of a directory.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::File(bytes) => bytes.len(),
            Content::Directory(entries) => entries.len(),
        }
    }

    /// A directory's entries.
    pub fn entries(&self) -> Option<&Entries> {
        match &self.content {
            Content::Directory(entries) => Some(entries),
            Content::File(_) => None,
        }
    }

    /// A file's bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::File(bytes) => Some(bytes),
            Content::Directory(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        match &mut self.content {
            Content::File(bytes) => Some(bytes),
            Content::Directory(_) => None,
        }
    }
}

/// The file system.
pub struct Tree(Vec<Node>);

/// The root directory's number.
const ROOT: u32 = 0;

impl Tree {
    /// An empty root directory.
    pub fn new() -> Tree {
        let mut tree = Tree(Vec::new());
        tree.push(Content::Directory(Entries::new()));
        tree
    }

    fn push(&mut self, content: Content) -> u32 {
        self.0.push(Node { content, attributes: [0; ATTRIBUTES] });
        self.0.len() as u32 - 1
    }

    /// The node of this number.
    pub fn node(&self, number: u32) -> Option<&Node> {
        self.0.get(number as usize)
    }

    /// The same, to be changed.
    pub fn node_mut(&mut self, number: u32) -> Option<&mut Node> {
        self.0.get_mut(number as usize)
    }

    /// The number of the node at a path: a `/` before each name, one look into a directory for each.
    pub fn find(&self, path: &[u8]) -> Option<u32> {
        names(path)?.try_fold(ROOT, |directory, name| self.node(directory)?.entries()?.get(name).copied())
    }

    /// Puts a node where this path says, and directories on the way where there are none. `None`: a file is in
    /// the way, the path is none, or it is taken.
    pub fn add(&mut self, path: &[u8], content: Content) -> Option<u32> {
        let last = path.iter().rposition(|&byte| byte == b'/')?;
        let mut directory = ROOT;
        for name in names(path)?.take(path[..last].iter().filter(|&&byte| byte == b'/').count()) {
            directory = match self.node(directory)?.entries()?.get(name) {
                Some(&number) => number,
                None => self.enter(directory, name, Content::Directory(Entries::new()))?,
            };
        }
        self.enter(directory, &path[last + 1..], content)
    }

    fn enter(&mut self, directory: u32, name: &[u8], content: Content) -> Option<u32> {
        let number = self.push(content);
        match &mut self.node_mut(directory)?.content {
            Content::Directory(entries) => match entries.insert(name.into(), number) {
                None => Some(number),
                Some(_) => None,
            },
            Content::File(_) => None,
        }
    }
}

/// The names in a path. `None`: it does not begin with a `/`.
fn names(path: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    Some(path.strip_prefix(b"/")?.split(|&byte| byte == b'/'))
}
