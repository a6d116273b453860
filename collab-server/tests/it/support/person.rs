//! A person at a native client: types, keeps the link alive and comes back as the browser does.

use std::future::Future;
use std::time::{Duration, Instant};

use super::choices::{Characters, Choices};
use super::native::NativeClient;

/// The browser's rule for coming back (`wasm-client/js/src/backoff.ts`), in milliseconds:
/// exponential with full jitter.
const DELAY_MIN_MS: f64 = 500.0;
const DELAY_MAX_MS: f64 = 30_000.0;
const FIRST_WINDOW_MS: f64 = 3_000.0;

/// The first attempt after the server has sent a client to another one, with 1012.
const MOVED_ATTEMPT: i32 = -3;

/// A connection that lives shorter does not make the next pause short again.
const STABLE: Duration = Duration::from_secs(5);
/// The same for one that the server ended to send its client to another.
const MOVED_STABLE: Duration = Duration::from_secs(1);

/// The pause before attempt number `attempt` (0 is the first retry); `random` is in [0, 1).
pub(crate) fn backoff(attempt: i32, random: f64) -> Duration {
    let window = DELAY_MAX_MS.min(FIRST_WINDOW_MS * 2_f64.powi(attempt.min(10)));
    let least = DELAY_MIN_MS.min(window / 6.0);
    Duration::from_secs_f64((least + random * (window - least)).round() / 1_000.0)
}

#[test]
fn the_native_client_comes_back_by_the_rule_of_the_browser() {
    let rule = include_str!("../../../../wasm-client/js/src/backoff.ts");
    for (name, value) in [
        ("DELAY_MIN_MS", DELAY_MIN_MS),
        ("DELAY_MAX_MS", DELAY_MAX_MS),
        ("FIRST_WINDOW_MS", FIRST_WINDOW_MS),
        ("MOVED_ATTEMPT", f64::from(MOVED_ATTEMPT)),
    ] {
        let line = rule.lines().find(|line| line.contains(&format!("const {name} =")));
        let number = line.and_then(|line| line.split(['=', ';']).nth(1)).expect("a constant");
        assert_eq!(number.trim().replace('_', "").parse(), Ok(value), "{name}");
    }
    assert_eq!(backoff(0, 0.0), Duration::from_millis(500));
    assert_eq!(backoff(0, 0.5), Duration::from_millis(1_750));
    assert_eq!(backoff(9, 1.0), Duration::from_secs(30));
    assert_eq!(backoff(MOVED_ATTEMPT, 0.0), Duration::from_millis(63));
    assert_eq!(backoff(MOVED_ATTEMPT, 1.0), Duration::from_millis(375));
}

/// How quickly a person types and gives a link up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    /// From one edit to the next, on average.
    pub(crate) pace: Duration,
    /// A submission unanswered for this long is worth a ping, and a ping unanswered for this long
    /// is a dead link. The browser's is 5 s.
    pub(crate) patience: Duration,
    /// What the pauses of the browser's rule are divided by.
    pub(crate) haste: u32,
}

/// See the module.
pub(crate) struct Person {
    pub(crate) client: NativeClient,
    choices: Choices,
    temper: Temper,
    /// Attempts since the last connection that lasted.
    attempt: i32,
    /// When each attempt to come back was due.
    pub(crate) attempts: Vec<Instant>,
    /// From a submission to its ack, for each.
    pub(crate) waits: Vec<Duration>,
    /// From the last ack before a connection was lost to the first one after, for each loss with
    /// edits after it.
    pub(crate) pauses: Vec<Duration>,
    acked_at: Option<Instant>,
    is_paused: bool,
    submitted_at: Option<Instant>,
    opened_at: Instant,
    /// When the last sign of life came, and how many pongs had come before the ping that is out.
    alive_at: Instant,
    probe: Option<(Instant, u64)>,
    /// Connections lost so far.
    pub(crate) losses: usize,
    /// With which code the server closed each of them, if it said so.
    pub(crate) closes: Vec<Option<u16>>,
}

/// What a bounded wait came to.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

impl Person {
    pub(crate) fn new(client: NativeClient, choices: Choices, temper: Temper) -> Self {
        Person {
            client,
            choices,
            temper,
            attempt: 0,
            attempts: Vec::new(),
            waits: Vec::new(),
            pauses: Vec::new(),
            acked_at: None,
            is_paused: false,
            submitted_at: None,
            opened_at: Instant::now(),
            alive_at: Instant::now(),
            probe: None,
            losses: 0,
            closes: Vec::new(),
        }
    }

    /// Replaces a few characters somewhere by new ones.
    pub(crate) fn edit(&mut self, characters: &Characters) {
        let len = self.client.len_chars();
        let offset = self.choices.below(len + 1);
        let deleted = self.choices.below(3).min(len - offset);
        let word = characters.word(1 + self.choices.below(3));
        self.client.edit(offset, deleted, &word);
    }

    /// Types `edits` times, online and offline, and goes on until everything is acknowledged.
    pub(crate) async fn write(&mut self, edits: usize, characters: &Characters) {
        let mut left = edits;
        let goes_on = move || left.checked_sub(1).map(|less| left = less).is_some();
        self.write_while(goes_on, characters).await;
    }

    /// Types on, online and offline, for as long as the answer is yes before each edit; then goes on
    /// until everything is acknowledged.
    pub(crate) async fn write_while(
        &mut self,
        mut goes_on: impl FnMut() -> bool,
        characters: &Characters,
    ) {
        let mut next = Some(Instant::now());
        while next.is_some() || self.client.has_pending() {
            if next.is_some_and(|at| Instant::now() >= at) {
                next = goes_on().then(|| {
                    self.edit(characters);
                    Instant::now() + self.temper.pace.mul_f64(2.0 * self.choices.fraction())
                });
            }
            if next.is_none() && !self.client.has_pending() {
                return; // the last answer came before it was asked whether to go on
            }
            let until_next = next.map(|at| at.saturating_duration_since(Instant::now()));
            let patience = self.temper.patience;
            self.step(until_next.map_or(patience, |wait| wait.min(patience))).await;
        }
    }

    /// Only reads, for so long.
    pub(crate) async fn rest(&mut self, pause: Duration) {
        let end = Instant::now() + pause;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.step(left).await;
        }
    }

    /// Reads until everything up to `head` is taken in.
    pub(crate) async fn read_to(&mut self, head: u64) {
        while self.client.revision() < head {
            self.step(self.temper.patience).await;
        }
    }

    /// Sends what may be sent, then takes what comes within `wait`, or comes back.
    pub(crate) async fn step(&mut self, wait: Duration) {
        if !self.client.is_connected() {
            return self.come_back().await;
        }
        if self.client.resend_if_asked().await.is_err() {
            return self.lose();
        }
        match within(self.temper.patience, self.client.submit()).await {
            Some(Some(_)) => self.submitted_at = Some(Instant::now()),
            Some(None) => {}
            // Cut off in the middle of a frame: nothing can follow it.
            None => return self.lose(),
        }
        match within(wait.max(Duration::from_millis(1)), self.client.take_entry()).await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return self.lose(),
            None => {}
        }
        if !self.client.awaits_ack()
            && let Some(at) = self.submitted_at.take()
        {
            self.waits.push(at.elapsed());
            let before = self.acked_at.replace(Instant::now());
            if std::mem::take(&mut self.is_paused) {
                self.pauses.extend(before.map(|before| before.elapsed()));
            }
        }
        if self.is_dead().await {
            self.lose();
        }
        let rejects = self.client.rejects();
        assert!(rejects.is_empty(), "nothing that people type is refused for good: {rejects:?}");
    }

    /// Asks for a sign of life when none was seen for a while. What others type is none: it shows
    /// one direction only.
    async fn is_dead(&mut self) -> bool {
        let patience = self.temper.patience;
        match self.probe {
            Some((_, before)) if self.client.pongs() > before => {
                self.probe = None;
                self.alive_at = Instant::now();
                false
            }
            Some((asked, _)) => asked.elapsed() > patience,
            None if self.alive_at.elapsed() > patience => {
                self.probe = Some((Instant::now(), self.client.pongs()));
                !matches!(within(patience, self.client.ping()).await, Some(Ok(())))
            }
            None => false,
        }
    }

    fn lose(&mut self) {
        self.losses += 1;
        self.is_paused = true;
        self.closes.push(self.client.closed_with());
        let is_moved = self.client.closed_with() == Some(1012);
        let stable = if is_moved { MOVED_STABLE } else { STABLE };
        if self.opened_at.elapsed() >= stable / self.temper.haste {
            self.attempt = if is_moved { MOVED_ATTEMPT } else { 0 };
        }
        self.client.cut();
    }

    /// One attempt to come back, after the pause that the rule asks for.
    pub(crate) async fn come_back(&mut self) {
        let pause = backoff(self.attempt, self.choices.fraction()) / self.temper.haste;
        self.attempt += 1;
        // When it is due: a busy machine is late for many at once.
        self.attempts.push(Instant::now() + pause);
        tokio::time::sleep(pause).await;
        // As long as the browser's: twice what an answer may take.
        let connected = within(self.temper.patience * 2, self.client.connect()).await;
        if matches!(connected, Some(Ok(()))) {
            self.opened_at = Instant::now();
            self.probe = None;
            self.alive_at = Instant::now();
        } else {
            self.client.cut();
        }
    }
}
