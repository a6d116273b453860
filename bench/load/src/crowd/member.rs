//! One person of a crowd: types when it is time, sends when the protocol allows, and notes what arrives.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::{Edit, Pace, Phase, World};
use crate::connection::Connection;
use crate::driver::{Brought, Refused};
use crate::random::Random;
use crate::tags::{self, Typed};

/// How late a timer may come by itself: the runtime's counts whole milliseconds. No server is at fault for that.
const TIMER_LATE_MAX: Duration = Duration::from_millis(2);

/// See the module.
pub(super) struct Member<'a> {
    index: usize,
    connection: Connection,
    world: &'a World,
    /// Characters typed and not sent.
    waiting: VecDeque<Key>,
    /// What each unanswered submission holds.
    flying: VecDeque<Vec<Key>>,
    random: Random,
}

/// A character that was typed.
#[derive(Clone, Copy, Debug)]
struct Key {
    character: char,
    at: Instant,
    counts: bool,
}

impl<'a> Member<'a> {
    pub(super) fn new(index: usize, connection: Connection, world: &'a World) -> Self {
        let (waiting, flying) = (VecDeque::new(), VecDeque::new());
        Member { index, connection, world, waiting, flying, random: Random::fresh() }
    }

    /// Until the connection ends, which it must not.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut phase = self.world.phase.subscribe();
        while *phase.borrow_and_update() == Phase::Joining {
            tokio::select! {
                message = self.connection.socket.next() => self.receive(message).await?,
                changed = phase.changed() => changed?,
            }
        }
        let is_writer = self.index < self.world.plan.writers;
        match self.world.plan.pace {
            _ if !is_writer => loop {
                let message = self.connection.socket.next().await;
                self.receive(message).await?;
            },
            Pace::PerSecond(rate) => self.type_by_the_clock(rate).await,
            Pace::Answered(in_flight) => {
                let driver_max = self.connection.driver.in_flight_max();
                for _ in 0..in_flight.min(driver_max) {
                    self.press(Instant::now());
                    self.send_waiting().await?;
                }
                loop {
                    let message = self.connection.socket.next().await;
                    self.receive(message).await?;
                }
            }
        }
    }

    async fn type_by_the_clock(&mut self, rate: f64) -> Result<()> {
        let pause = Duration::from_secs_f64(1.0 / rate);
        // Nobody begins at the same moment, and nobody's keys fall like a clock's.
        let mut next = Instant::now() + pause.mul_f64(self.random.share());
        let timer = tokio::time::sleep_until(next.into());
        tokio::pin!(timer);
        loop {
            tokio::select! {
                message = self.connection.socket.next() => self.receive(message).await?,
                () = &mut timer => {
                    if *self.world.phase.borrow() == Phase::Typing {
                        // Whoever is later than a timer waited for the server's frames: that counts.
                        let now = Instant::now();
                        self.press(if now < next + TIMER_LATE_MAX { now } else { next });
                    }
                    next += pause.mul_f64(0.5 + self.random.share());
                    timer.as_mut().reset(next.into());
                    self.send_waiting().await?;
                }
            }
        }
    }

    /// Types a character.
    fn press(&mut self, at: Instant) {
        let counts = self.world.is_measured.get();
        if counts {
            self.world.counts.borrow_mut().typed += 1;
        }
        let character = match self.world.plan.edit {
            Edit::Tag => {
                let typed = Typed { by: self.index, at, counts };
                tags::character(self.world.typing.borrow_mut().take(typed))
            }
            Edit::Letter | Edit::Exchange => char::from(b'a' + (self.random.next() % 26) as u8),
        };
        self.waiting.push_back(Key { character, at, counts });
    }

    /// Sends what waits, as far as the protocol allows.
    async fn send_waiting(&mut self) -> Result<()> {
        let in_flight_max = self.connection.driver.in_flight_max();
        while self.flying.len() < in_flight_max && !self.waiting.is_empty() {
            // One at a time where more may be in flight, else all at once.
            let len = if in_flight_max == 1 { self.waiting.len() } else { 1 };
            let keys: Vec<Key> = self.waiting.drain(..len).collect();
            let text: String = keys.iter().map(|key| key.character).collect();
            let place = self.random.next() >> 1;
            let message = match self.world.plan.edit {
                Edit::Exchange => self.connection.driver.exchange(place, &text),
                Edit::Tag | Edit::Letter => self.connection.driver.insert(place, &text),
            };
            self.flying.push_back(keys);
            self.connection.socket.send(message).await?;
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<()> {
        let message = message.context("the connection ended")??;
        let now = Instant::now();
        match &message {
            Message::Text(text) => self.look_for_tags(text.as_bytes(), now),
            Message::Binary(data) => self.look_for_tags(data, now),
            Message::Close(frame) => bail!("closed: {frame:?}"),
            _ => return Ok(()),
        }
        let mut brought = Brought::default();
        self.connection.driver.receive(&message, &mut brought)?;
        for reply in brought.replies {
            self.connection.socket.send(reply).await?;
        }
        for _ in 0..brought.acks {
            self.answered(now);
        }
        if let Some(Refused { retry_ms }) = brought.refused {
            self.world.counts.borrow_mut().refusals += 1;
            tokio::time::sleep(Duration::from_millis(retry_ms)).await;
            let again = self.connection.driver.resend().context("nothing to send again")?;
            self.connection.socket.send(again).await?;
        }
        self.send_waiting().await
    }

    fn look_for_tags(&mut self, bytes: &[u8], now: Instant) {
        if self.world.plan.edit != Edit::Tag {
            return;
        }
        let mut echoes = 0;
        tags::scan(bytes, |tag| {
            let Some(typed) = self.world.typing.borrow().get(tag) else { return };
            if typed.by == self.index {
                echoes += 1;
            } else if typed.counts {
                self.world.counts.borrow_mut().deliveries.push(units(now - typed.at));
            }
        });
        if self.connection.driver.acks_are_echoes() {
            (0..echoes).for_each(|_| self.answered(now));
        }
    }

    /// The oldest submission in flight is answered.
    fn answered(&mut self, now: Instant) {
        let Some(keys) = self.flying.pop_front() else { return };
        let mut counts = self.world.counts.borrow_mut();
        counts.answers += 1;
        if self.world.is_measured.get() {
            counts.acked += keys.len() as u64;
        }
        let counted = keys.iter().filter(|key| key.counts);
        counts.acks.extend(counted.map(|key| units(now - key.at)));
        drop(counts);
        let goes_on = *self.world.phase.borrow() == Phase::Typing;
        if goes_on && matches!(self.world.plan.pace, Pace::Answered(_)) {
            self.press(now);
        }
    }
}

/// In units of 100 ns.
fn units(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos() / 100).unwrap_or(u32::MAX)
}
