//! Derivation as real trees, with child lists and its own accounts: what the list with depths is
//! compared to. Shares nothing with the library.

use std::collections::BTreeMap;

/// Why the model refuses to derive, in the order in which the reasons count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The parent is being revoked.
    Busy,
    /// The parent lies 63 steps below its root.
    TooDeep,
    /// The parent cannot pay.
    NoCredits,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<Id> {
    /// Whose child it is now; the heir of its parent, if a revoke took that.
    pub parent: Option<Id>,
    /// Its children, the youngest first, and those it inherited.
    pub children: Vec<Id>,
    /// Steps from the root, when it was made.
    pub depth: u32,
    /// Rights.
    pub rights: u8,
    /// What deriving from it may cost; `None`: anything.
    pub total: Option<u32>,
    /// What of that is left; 0 if there is no bound.
    pub credits: u32,
    /// A revoke has begun.
    pub revoking: bool,
}

/// Any number of trees.
#[derive(Clone, Debug)]
pub struct Forest<Id> {
    /// The nodes by name.
    pub items: BTreeMap<Id, Item<Id>>,
}

impl<Id: Copy + Ord + std::fmt::Debug> Forest<Id> {
    /// No trees.
    pub fn new() -> Forest<Id> {
        Forest { items: BTreeMap::new() }
    }

    /// Whether there is such a node.
    pub fn has(&self, id: Id) -> bool {
        self.items.contains_key(&id)
    }

    /// The node, which must be there.
    pub fn item(&self, id: Id) -> &Item<Id> {
        &self.items[&id]
    }

    fn edit(&mut self, id: Id) -> &mut Item<Id> {
        self.items.get_mut(&id).unwrap_or_else(|| panic!("no node {id:?}"))
    }

    /// A new tree.
    pub fn plant(&mut self, id: Id, rights: u8, total: Option<u32>) {
        let item = Item {
            parent: None,
            children: Vec::new(),
            depth: 0,
            rights,
            total,
            credits: total.unwrap_or(0),
            revoking: false,
        };
        assert!(self.items.insert(id, item).is_none());
    }

    /// Forgets a tree of one node.
    pub fn uproot(&mut self, id: Id) {
        let item = self.items.remove(&id).unwrap();
        assert!(item.parent.is_none() && item.children.is_empty());
    }

    /// A node without children has all its credits, and its revoke is over.
    pub fn settle(&mut self, id: Id) {
        let item = self.edit(id);
        if item.children.is_empty() {
            item.revoking = false;
            item.credits = item.total.unwrap_or(0);
        }
    }

    /// What deriving a child with `total` would meet with.
    pub fn may_derive(&self, parent: Id, total: Option<u32>) -> Result<(), Refusal> {
        let item = self.item(parent);
        let barren = item.children.is_empty();
        let purse = if barren { item.total.unwrap_or(0) } else { item.credits };
        if item.revoking && !barren {
            return Err(Refusal::Busy);
        }
        if item.depth == 63 {
            return Err(Refusal::TooDeep);
        }
        match (item.total, total) {
            (None, _) => Ok(()),
            (Some(_), Some(total)) if u64::from(purse) > u64::from(total) => Ok(()),
            _ => Err(Refusal::NoCredits),
        }
    }

    /// A new youngest child. `total` is one that the child's slot can store.
    pub fn derive(&mut self, parent: Id, child: Id, rights: u8, total: Option<u32>) -> Result<(), Refusal> {
        self.may_derive(parent, total)?;
        // Lost credits come back when they are needed, not before.
        let item = self.item(parent);
        if item.revoking || total.is_some_and(|total| item.credits <= total) {
            self.settle(parent);
        }
        let above = self.edit(parent);
        if above.total.is_some() {
            above.credits -= 1 + total.unwrap();
        }
        above.children.insert(0, child);
        let (depth, rights) = (above.depth + 1, above.rights & rights);
        let item = Item {
            parent: Some(parent),
            children: Vec::new(),
            depth,
            rights,
            total,
            credits: total.unwrap_or(0),
            revoking: false,
        };
        assert!(self.items.insert(child, item).is_none(), "{child:?} is in use");
        Ok(())
    }

    /// Takes the youngest child away; the children of that come into its place.
    pub fn revoke_step(&mut self, id: Id) -> Option<Id> {
        let Some(&taken) = self.item(id).children.first() else {
            self.settle(id);
            return None;
        };
        let below = self.items.remove(&taken).unwrap();
        for &orphan in &below.children {
            self.edit(orphan).parent = Some(id);
        }
        let above = self.edit(id);
        above.children.splice(0..1, below.children);
        above.revoking = true;
        if above.total.is_some() {
            above.credits += 1 + below.credits;
        }
        Some(taken)
    }

    /// Takes a node without children away. The parent of a youngest child gets its price back.
    pub fn remove(&mut self, id: Id) -> bool {
        if !self.item(id).children.is_empty() {
            return false;
        }
        let gone = self.items.remove(&id).unwrap();
        if let Some(parent) = gone.parent {
            let above = self.edit(parent);
            let place = above.children.iter().position(|&child| child == id).unwrap();
            above.children.remove(place);
            let is_last = above.children.is_empty();
            match above.total.filter(|_| place == 0 && !above.revoking) {
                Some(total) if is_last => above.credits = total,
                Some(_) => above.credits += 1 + gone.total.unwrap(),
                None => {}
            }
        }
        true
    }

    /// Gives a node another name.
    pub fn relocate(&mut self, from: Id, to: Id) {
        let item = self.items.remove(&from).unwrap();
        for &child in &item.children {
            self.edit(child).parent = Some(to);
        }
        if let Some(parent) = item.parent {
            for child in &mut self.edit(parent).children {
                if *child == from {
                    *child = to;
                }
            }
        }
        assert!(self.items.insert(to, item).is_none());
    }

    /// The tree of `id`, parents before children, the youngest child first.
    pub fn preorder(&self, id: Id) -> Vec<Id> {
        let mut found = vec![id];
        for &child in &self.item(id).children {
            found.extend(self.preorder(child));
        }
        found
    }

    /// The root above `id`.
    pub fn root(&self, id: Id) -> Id {
        self.item(id).parent.map_or(id, |parent| self.root(parent))
    }

    /// How many descendants a node has.
    pub fn below(&self, id: Id) -> usize {
        self.preorder(id).len() - 1
    }
}
