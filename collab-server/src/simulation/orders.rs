//! Which orders are gone through, where all are: those that come to the same are gone through once.
//!
//! Two events *commute* where they leave the same behind in either order, and neither takes the other
//! away. Orders that differ in such pairs alone end alike, and see alike on the way: so of each such
//! family one order is enough, and this module says which. Each rule is an argument about the family
//! of any order that goes on from here: some order of it begins with a move that is offered. A move
//! more than needed does no harm. The test goes through small worlds with the rules and without, and
//! finds the same ends: rules 1 to 6 ([`LeftOut::Commuting`]) lead to the same worlds in every field.
//!
//! What the arguments rest on: a frame that goes into a pipe goes in behind, and one that comes out
//! comes out in front. A client's events touch the client and its ends of the two pipes. What arrives
//! in a server waits for the document's turn and is seen by nothing before. A writer pulls from what
//! the turns leave in the room, and writes to its pipe and its reader, which no turn reads. The store
//! sees what is applied there and what is synced when it answers.
//!
//! 1. What *comes first* commutes with all that can come before it: so it comes at once.
//! 2. A pull commutes with all but turns: so it comes directly behind what woke it, or behind the next
//!    turn (*held*). Pulls commute with each other, and come by number.
//! 3. A frame that lies ready for a client, and what that client does, commute with all that others
//!    do. So they come before that, in both orders. Where a cut or a crash may still come, the frame
//!    may also be lost to it, and then all behind it: the client is *deaf* until then. What is lost
//!    is never pulled either. So a cut need not leave frames on their way down: those that still
//!    arrive behind it might as well have come before it, since nothing that the client sends on
//!    them leaves a pipe that is cut.
//! 4. So with the store: it does what it is asked at once, or not before the crash (*stuck*).
//! 5. Whatever arrives at a document comes directly before the turn that sees it: once something has
//!    *arrived*, only more of that comes, until the turn. A crash takes what arrived along, or goes on
//!    with it alike; and a cut that leaves a frame on its way up leaves it to arrive.
//! 6. An edit goes out as a frame, or stays with its client. What stays is seen when the next frame
//!    arrives there, so it comes then. What goes out comes directly before it arrives; a crash takes
//!    it along in either order. Where the connection may still be cut it comes at any time.
//! 7. A pull for a client that has nothing to say to whatever it hears comes at once, not behind the
//!    next turn: it types no more, holds nothing back, and has no selection to tell. In what it hears
//!    and in which frames, it comes to the same. So only where nothing befalls it any more, and where
//!    the ring holds all that may be committed until it pulls: else it would read the log instead. When
//!    it pulls decides who else it is told of, and time stands still: so with this rule
//!    ([`LeftOut::Unanswered`]) the same is stored at the end, and everybody is where they were.

use ot_core::{Client, ClientState};

use super::exhaustive::LeftOut;
use super::schedule::Key;
use super::wire::Side;
use super::world::{Answer, Asked, What, World};

/// What may be next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// This happens.
    Happens(Key),
    /// The writer of this connection does not pull before the next turn.
    Held(usize),
    /// What lies ready for this tab, and all behind it, is lost to what befalls it.
    Deaf(usize),
    /// The store does nothing more before the crash.
    Stuck,
}

impl World<'_> {
    /// Everything that may be next; none at the end.
    pub(super) fn moves(&self) -> Vec<Move> {
        if self.left_out == LeftOut::Nothing {
            return self.offered(|_| true);
        }
        if let Some(key) = self.key_of(|what| self.comes_first(what)) {
            return vec![Move::Happens(key)];
        }
        if let Some(moves) = self.next_pull().or_else(|| self.next_call()) {
            return moves;
        }
        if let Some(moves) = (0..self.tabs.len()).find_map(|tab| self.moves_of(tab)) {
            return moves;
        }
        let rest = match self.is_arriving && self.is_turning() {
            true => self.offered(|what| self.may_arrive(what)),
            false => self.offered(|what| self.may_be_next(what)),
        };
        // What was put off comes at last.
        if rest.is_empty() { self.offered(|_| true) } else { rest }
    }

    /// Makes one of these moves.
    pub(super) fn make_one_of(&mut self, moves: &[Move]) {
        match moves[self.draw.below(moves.len())] {
            Move::Happens(key) => self.make_happen(key),
            Move::Held(conn) => self.conns[conn].is_held = true,
            Move::Deaf(tab) => self.tabs[tab].is_deaf = true,
            Move::Stuck => self.is_stuck = true,
        }
    }

    fn make_happen(&mut self, key: Key) {
        let acting = match self.event(key) {
            // Rule 6: the frame arrives at once.
            What::Act(tab) if !self.hears(*tab) && !self.is_cut_off(*tab) => self.tabs[*tab].conn,
            _ => None,
        };
        let arrives = self.arrives(self.event(key));
        let is_turn = matches!(self.event(key), What::Turn { .. });
        self.pass(key);
        if is_turn {
            self.is_arriving = false;
            self.conns.iter_mut().for_each(|conn| conn.is_held = false);
        }
        if self.left_out == LeftOut::Nothing {
            return;
        }
        let up = acting.and_then(|acting| {
            self.key_of(|what| matches!(what, What::Up(conn) if *conn == acting))
        });
        up.into_iter().for_each(|up| self.pass(up));
        self.is_arriving |= (arrives || up.is_some()) && self.is_turning();
    }

    /// Whether the document is about to decide.
    fn is_turning(&self) -> bool {
        self.is_coming(|what| matches!(what, What::Turn { .. }))
    }

    fn offered(&self, is_it: impl Fn(&What) -> bool) -> Vec<Move> {
        let keys = self.coming_by_key().filter(|(_, what)| self.may_happen(what) && is_it(what));
        keys.map(|(key, _)| Move::Happens(*key)).collect()
    }

    fn key_of(&self, is_it: impl Fn(&What) -> bool) -> Option<Key> {
        let mut keys =
            self.coming_by_key().filter(|(_, what)| self.may_happen(what) && is_it(what));
        keys.next().map(|(key, _)| *key)
    }

    /// The store does what is asked in the order in which it was asked. An append that loses waits for
    /// what it loses to.
    fn may_happen(&self, what: &What) -> bool {
        let What::Apply(id) = what else { return true };
        let waits = self.calls.get(id).is_some_and(|call| match &call.asked {
            Asked::Append { append, .. } => self.rows[&call.document].makes_wait(append),
            _ => false,
        });
        !waits && self.calls_ahead(*id) == 0
    }

    /// How many calls are to be applied before this one.
    pub(super) fn calls_ahead(&self, id: u64) -> usize {
        let is_ahead = |what: &&What| match what {
            What::Apply(other) => *other < id && self.calls.contains_key(other),
            _ => false,
        };
        self.coming().filter(is_ahead).count()
    }

    fn is_doomed(&self) -> bool {
        self.is_coming(|what| matches!(what, What::Crash(_)))
    }

    fn is_cut_off(&self, tab: usize) -> bool {
        self.is_coming(|what| matches!(what, What::CutOf(cut) if *cut == tab))
    }

    /// Whether a frame lies ready for a tab that will take it.
    fn hears(&self, tab: usize) -> bool {
        let conn = self.tabs[tab].conn.filter(|_| !self.tabs[tab].is_deaf);
        let Some(conn) = conn else { return false };
        self.is_coming(|what| matches!(what, What::Down(down) if *down == conn))
    }

    // --- rule 1 ---

    fn comes_first(&self, what: &What) -> bool {
        match what {
            // A server that starts touches nobody, and is touched by nobody before.
            What::Restart(_) => true,
            // It touches its tab and two new pipes. Before its server starts it cannot.
            What::Connect(tab) => {
                let is_down = self.is_coming(|what| matches!(what, What::Restart(_)));
                !is_down && !self.is_doomed() && !self.is_cut_off(*tab)
            }
            What::Apply(call) => !self.is_doomed() && self.is_seen_by_the_store_alone(*call),
            _ => false,
        }
    }

    /// Whether applying a call commutes with all but what takes the server: unless a read is to see
    /// what is about to be synced.
    fn is_seen_by_the_store_alone(&self, id: u64) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let is_read = matches!(call.asked, Asked::Load | Asked::Read(_));
        let is_syncing = |what: &What| match what {
            What::Reply(call) => {
                let answer = self.calls.get(call).and_then(|call| call.answer.as_ref());
                matches!(answer, Some(Answer::Written { .. }))
            }
            _ => false,
        };
        !(is_read && self.is_coming(is_syncing))
    }

    // --- rule 2 ---

    fn is_held(&self, conn: usize) -> bool {
        let known = &self.conns[conn];
        let tab = &self.tabs[known.tab];
        known.is_held || tab.is_deaf && tab.conn == Some(conn)
    }

    fn next_pull(&self) -> Option<Vec<Move>> {
        let pulls = self.coming_by_key().filter_map(|(key, what)| match what {
            What::Pull(conn) if !self.is_held(*conn) => Some((*conn, *key)),
            _ => None,
        });
        let (conn, key) = pulls.min()?;
        match self.left_out == LeftOut::Unanswered && self.says_no_more(conn) {
            true => Some(vec![Move::Happens(key)]),
            false => Some(vec![Move::Happens(key), Move::Held(conn)]),
        }
    }

    // --- rule 7 ---

    /// Whether a client says nothing to whatever it hears from here on, and may hear it late without
    /// reading the log.
    fn says_no_more(&self, conn: usize) -> bool {
        let known = &self.conns[conn];
        let tab = &self.tabs[known.tab];
        let Side::Open { reader, .. } = &known.side else { return false };
        let is_silent = tab.is_joined
            && tab.conn == Some(conn)
            && tab.actions == 0
            && !tab.must_select
            && tab.client.as_ref().is_some_and(has_said_all);
        let to_type: usize = self.tabs.iter().map(|tab| tab.actions).sum();
        let edits = (self.ledger.typed() + to_type) as u64;
        let ahead = edits.saturating_sub(reader.revision().get());
        let befalls = self.is_doomed() || self.is_cut_off(known.tab);
        is_silent && ahead <= self.plan.config.ring_len as u64 && !befalls
    }

    // --- rule 3 ---

    fn moves_of(&self, tab: usize) -> Option<Vec<Move>> {
        if !self.hears(tab) {
            return None;
        }
        let own = self.tabs[tab].conn;
        let mut moves = self.offered(|what| match what {
            What::Down(conn) => Some(*conn) == own,
            What::Act(acting) => *acting == tab,
            _ => false,
        });
        if self.is_doomed() || self.is_cut_off(tab) {
            moves.push(Move::Deaf(tab));
        }
        Some(moves)
    }

    // --- rule 4 ---

    fn next_call(&self) -> Option<Vec<Move>> {
        if self.is_stuck || !self.is_doomed() {
            return None;
        }
        let key = self.key_of(|what| match what {
            What::Apply(call) => self.is_seen_by_the_store_alone(*call),
            _ => false,
        })?;
        Some(vec![Move::Happens(key), Move::Stuck])
    }

    // --- rules 5 and 6 ---

    /// Whether it is something that the next turn sees.
    fn arrives(&self, what: &What) -> bool {
        match what {
            What::Up(_) | What::ServerNotices(_) => true,
            What::Reply(call) => {
                let asked = self.calls.get(call).map(|call| &call.asked);
                !matches!(asked, None | Some(Asked::CatchUp { .. }))
            }
            _ => false,
        }
    }

    /// Whether it may come between what has arrived and the turn. The store goes on meanwhile.
    fn may_arrive(&self, what: &What) -> bool {
        match what {
            What::Up(_) | What::ServerNotices(_) | What::Reply(_) | What::Turn { .. } => true,
            What::Apply(_) | What::Act(_) => self.may_be_next(what),
            _ => false,
        }
    }

    fn may_be_next(&self, what: &What) -> bool {
        match what {
            What::Pull(conn) => !self.is_held(*conn),
            What::Down(conn) => !self.tabs[self.conns[*conn].tab].is_deaf,
            What::Apply(_) => !self.is_stuck,
            What::Act(tab) => self.is_cut_off(*tab) || self.goes_out(*tab),
            _ => true,
        }
    }

    /// Whether an edit of a tab goes out at once, and nothing before it.
    fn goes_out(&self, tab: usize) -> bool {
        let known = &self.tabs[tab];
        let Some(conn) = known.conn.filter(|_| known.is_joined) else { return false };
        let waits = known.client.as_ref().is_some_and(|client| client.outstanding().is_some());
        !waits
            && self.conns[conn].up.len() == 0
            && matches!(self.conns[conn].side, Side::Open { .. })
    }
}

/// Whether nothing that was typed waits for what is in flight.
fn has_said_all(client: &Client) -> bool {
    matches!(client.state(), ClientState::Synchronized | ClientState::AwaitingAck)
}
