//! An error as people read it.

use super::LabError;
use crate::output::{Console, Tone};

impl LabError {
    /// Tells it: the cause, what belongs to it, the cure.
    pub(crate) fn tell(&self, console: Console) {
        console.say(format_args!("{} {self}", console.paint(Tone::Bad, "lab:")));
        for line in self.context() {
            console.say(console.paint(Tone::Faint, format_args!("  | {line}")));
        }
        if let Some(help) = self.help() {
            console.say(format_args!("  help: {help}"));
        }
    }
}
