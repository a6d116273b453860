//! Editing traces as operations in one order.
//!
//! A sequential trace is that already. A concurrent one says for each transaction what its author
//! had seen: its patches are made on the text that this author had, and transformed over what was
//! made before by others and not seen. Each author has a list of what they have not seen, in the
//! form it has on their text.
//!
//! # Limitations
//! Everything goes into one order, that of the file. An author who has seen a later change of one
//! person without an earlier one of another cannot be followed; with two people that never happens.

use std::collections::VecDeque;

use ot_core::{Operation, transform};

use super::trace::Transaction;

/// Whose text comes first where two insert at one place. A trace does not say; one of the two gives
/// the text that it ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// That of the transaction that comes first in the file.
    ByOrder,
    /// That of the agent with the lower number.
    ByAgent,
}

/// An operation of somebody else.
#[derive(Debug)]
struct Unseen {
    agent: usize,
    /// Which of the agent's transactions it belongs to, from 1.
    ordinal: usize,
    operation: Operation,
}

#[derive(Debug, Default)]
struct Author {
    /// Length of the text that they have.
    len: usize,
    /// Transactions made.
    made: usize,
    /// What leads from their text to that of all.
    unseen: VecDeque<Unseen>,
}

/// Puts transactions into one order.
#[derive(Debug)]
pub(super) struct Merge {
    authors: Vec<Author>,
    ties: Ties,
}

/// How many transactions of each agent lie before each transaction, itself included; none where a
/// trace has one line of transactions.
pub(super) type Seen = Vec<Vec<usize>>;

/// What each author had seen.
///
/// # Errors
/// When a transaction names one that does not come before it.
pub(super) fn seen(transactions: &[Transaction], agents: usize) -> Result<Seen, String> {
    let mut seen: Seen = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let mut own = vec![0; agents];
        for &parent in &transaction.parents {
            let before = seen.get(parent).ok_or_else(|| {
                format!("transaction {index} has the parent {parent}, which is not before it")
            })?;
            own.iter_mut().zip(before).for_each(|(own, before)| *own = (*own).max(*before));
        }
        own[transaction.agent] += 1;
        seen.push(own);
    }
    Ok(seen)
}

impl Merge {
    /// Authors whose text is `len` characters long.
    pub(super) fn new(agents: usize, len: usize, ties: Ties) -> Self {
        let author = |_| Author { len, ..Author::default() };
        Merge { authors: (0..agents).map(author).collect(), ties }
    }

    /// Lets an agent take in what a transaction has seen.
    pub(super) fn begin(&mut self, agent: usize, seen: &[usize]) -> Result<(), String> {
        let author = &mut self.authors[agent];
        author.made += 1;
        if seen[agent] != author.made {
            return Err("an agent has not seen an earlier change of their own".to_owned());
        }
        let has_seen = |unseen: &Unseen| unseen.ordinal <= seen[unseen.agent];
        while let Some(first) = author.unseen.pop_front_if(|unseen| has_seen(unseen)) {
            author.len = first.operation.target_len();
        }
        if author.unseen.iter().any(has_seen) {
            return Err("an agent has seen a later change without an earlier one".to_owned());
        }
        Ok(())
    }

    /// A patch made by an agent on their text; gives it as it is on that of all.
    pub(super) fn patch(
        &mut self,
        agent: usize,
        (offset, deleted, inserted): (usize, usize, &str),
    ) -> Result<Operation, String> {
        let author = &mut self.authors[agent];
        let mut operation = Operation::splice(author.len, offset, deleted, inserted)
            .map_err(|error| error.to_string())?;
        author.len = operation.target_len();
        let ordinal = author.made;
        for unseen in &mut author.unseen {
            let own_first = self.ties == Ties::ByAgent && agent < unseen.agent;
            let both = match own_first {
                false => transform(&operation, &unseen.operation),
                true => transform(&unseen.operation, &operation).map(|(unseen, own)| (own, unseen)),
            };
            (operation, unseen.operation) = both.map_err(|error| error.to_string())?;
        }
        for (other, author) in self.authors.iter_mut().enumerate() {
            if other != agent {
                let operation = operation.clone();
                author.unseen.push_back(Unseen { agent, ordinal, operation });
            }
        }
        Ok(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(agent: usize, parents: &[usize]) -> Transaction {
        Transaction { agent, parents: parents.to_vec(), time_ms: None, patches: Vec::new() }
    }

    /// An agent, the parents of their transaction, and its only patch.
    type Made<'a> = (usize, &'a [usize], (usize, usize, &'a str));

    /// Makes these patches in order; gives the text.
    fn merged(ties: Ties, made: &[Made<'_>]) -> String {
        let transactions: Vec<_> =
            made.iter().map(|(agent, parents, _)| transaction(*agent, parents)).collect();
        let seen = seen(&transactions, 2).expect("each parent comes before");
        let mut merge = Merge::new(2, 0, ties);
        let mut text = String::new();
        for ((agent, _, patch), seen) in made.iter().zip(&seen) {
            merge.begin(*agent, seen).expect("in order");
            let operation = merge.patch(*agent, *patch).expect("it fits");
            text = operation.apply(&text).expect("each follows the last");
        }
        text
    }

    #[test]
    fn what_an_author_has_not_seen_is_transformed_over() {
        let made: [Made<'_>; 5] = [
            (0, &[], (0, 0, "abc")),
            (0, &[0], (1, 1, "X")),
            // Made on "abc", before the X was seen.
            (1, &[0], (3, 0, "!")),
            (1, &[2], (4, 0, "?")),
            // Made on "aXc!": the first of the two was seen.
            (0, &[1, 2], (4, 0, "-")),
        ];
        assert_eq!(merged(Ties::ByOrder, &made), "aXc!?-");
        assert_eq!(merged(Ties::ByAgent, &made), "aXc!-?");
    }

    #[test]
    fn a_parent_that_is_not_before_is_refused() {
        assert!(seen(&[transaction(0, &[1]), transaction(0, &[])], 1).is_err());
        assert!(seen(&[transaction(0, &[0])], 1).is_err());
    }
}
