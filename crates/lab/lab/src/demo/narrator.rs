//! What tells the tour: a word before each step, signs of life while one takes long, a key between two.

use std::future::Future;
use std::io::{IsTerminal, stdin};
use std::pin::pin;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, interval_at};

use crate::output::{Console, Tone};

/// Longer silence looks like a hang.
const SILENCE: Duration = Duration::from_millis(1900);

/// Tells a tour on a console.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrator {
    console: Console,
    /// Whether each step waits for a key.
    step: bool,
}

impl Narrator {
    /// Without a terminal there is no key to wait for.
    pub(super) fn new(step: bool, console: Console) -> Self {
        let step = step && stdin().is_terminal();
        Self { console, step }
    }

    /// A step's title, and what is about to be seen.
    pub(super) async fn begin(&self, title: &str, told: &str) {
        if self.step {
            self.console.say("\n  Enter: the next step");
            enter().await;
        }
        let title = format_args!("\n=== {title} ===\n");
        self.console.print(self.console.paint(Tone::Strong, title));
        for line in told.lines() {
            self.console.print(format_args!("  {line}"));
        }
        self.console.print("");
    }

    /// Waits, and says on what for as long as nothing else is said.
    pub(super) async fn meanwhile<T>(&self, what: &str, waited_for: impl Future<Output = T>) -> T {
        let mut waited_for = pin!(waited_for);
        let start = Instant::now();
        let mut ticks = interval_at(start + SILENCE, SILENCE);
        loop {
            tokio::select! {
                result = &mut waited_for => return result,
                _ = ticks.tick() => {
                    let line = format!("  {what}: {:.0} s", start.elapsed().as_secs_f64());
                    self.console.say(self.console.paint(Tone::Faint, line));
                }
            }
        }
    }
}

/// On a thread of its own: the runtime would wait for it, also when the tour is interrupted.
async fn enter() {
    let (pressed, wait) = oneshot::channel();
    thread::spawn(move || {
        let _ = stdin().read_line(&mut String::new());
        // Whoever waited may be gone.
        let _ = pressed.send(());
    });
    let _ = wait.await;
}

#[cfg(test)]
mod tests {
    use holdfast_ops::Environment;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_long_is_waited_for_to_its_end() {
        let narrator = Narrator::new(false, Console::new(&Environment::from([])));
        let start = Instant::now();
        let slow = async {
            sleep(Duration::from_secs(7)).await;
            7
        };
        assert_eq!(narrator.meanwhile("seven seconds", slow).await, 7);
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    }
}
