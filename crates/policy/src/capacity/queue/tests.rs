use proptest::prelude::*;

use super::*;

const USUAL: Priority = Priority::USUAL;

fn is_admitted(entry: &Entry) -> bool {
    matches!(entry, Entry::Admitted)
}

fn number(entry: Entry) -> Number {
    match entry {
        Entry::Wait(number, _) => number,
        other => panic!("expected to wait, got {other:?}"),
    }
}

#[test]
fn places_are_handed_over_in_the_order_of_arrival() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&queue.enter(USUAL)));
    let first = number(queue.enter(USUAL));
    let second = number(queue.enter(USUAL));
    assert!(matches!(queue.enter(USUAL), Entry::Full));
    assert!(queue.leave().is_some());
    assert_eq!(queue.turn(first, Waker::noop()), Turn::Admitted);
    assert_eq!(queue.turn(second, Waker::noop()), Turn::Wait);
    assert_eq!(queue.usage().0, 1, "the slot changed hands");
}

#[test]
fn a_newcomer_does_not_overtake_who_waits() {
    let queue = Queue::new(1, 1);
    assert!(is_admitted(&queue.enter(USUAL)));
    number(queue.enter(USUAL));
    queue.leave();
    assert!(!is_admitted(&queue.enter(USUAL)));
}

#[test]
fn who_gives_up_after_the_hand_over_passes_the_place_on() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&queue.enter(USUAL)));
    let first = number(queue.enter(USUAL));
    let second = number(queue.enter(USUAL));
    queue.leave();
    assert!(queue.give_up(first).is_some());
    assert_eq!(queue.turn(second, Waker::noop()), Turn::Admitted);
    assert!(queue.leave().is_none());
    assert_eq!(queue.usage().0, 0);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(u8),
    Leave(usize),
    GiveUp(usize),
    Limit(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..8).prop_map(Step::Enter),
        2 => any::<usize>().prop_map(Step::Leave),
        2 => any::<usize>().prop_map(Step::GiveUp),
        1 => (1_u32..6).prop_map(Step::Limit),
    ];
    prop::collection::vec(step, 0..300)
}

/// The model: plain lists of who runs, who waits and who was shed.
struct Model {
    limit: usize,
    max: usize,
    running: Vec<Option<Number>>,
    waiting: Vec<Number>,
    shed: Vec<Number>,
}

impl Model {
    /// Hands free slots to the most urgent, among equals to the first.
    fn settle(&mut self) {
        while self.running.len() < self.limit && !self.waiting.is_empty() {
            let next = self
                .waiting
                .iter()
                .map(|it| (it.priority.index(), it.number));
            let next = next.min().unwrap();
            let index = self.waiting.iter().position(|it| it.number == next.1);
            self.running.push(Some(self.waiting.remove(index.unwrap())));
        }
    }

    /// Who must go for a newcomer: the least urgent, among equals the newest.
    fn victim(&self, newcomer: Priority) -> Option<Number> {
        let below = self
            .waiting
            .iter()
            .filter(|it| it.priority.index() > newcomer.index());
        below
            .copied()
            .max_by_key(|it| (it.priority.index(), it.number))
    }

    fn enter(&mut self, priority: Priority, entry: Entry) {
        let free = self.running.len() < self.limit;
        match entry {
            Entry::Admitted => {
                assert!(free, "there is no slot");
                self.running.push(None);
            }
            Entry::Wait(number, woken) => {
                assert!(!free);
                if self.waiting.len() == self.max {
                    let victim = self.victim(priority).expect("nobody is less urgent");
                    self.waiting.retain(|it| *it != victim);
                    self.shed.push(victim);
                    assert!(woken.is_some());
                }
                self.waiting.push(number);
            }
            Entry::Full => {
                assert!(!free && self.waiting.len() == self.max);
                assert!(self.victim(priority).is_none());
            }
        }
    }

    fn compare(&self, queue: &Queue) {
        let count = |numbers: usize| u32::try_from(numbers).unwrap();
        let usage = (count(self.running.len()), count(self.waiting.len()));
        assert_eq!(queue.usage(), usage);
        for number in &self.waiting {
            assert_eq!(queue.turn(*number, Waker::noop()), Turn::Wait);
        }
    }
}

#[test]
fn the_least_urgent_newest_is_shed_for_somebody_more_urgent_and_the_most_urgent_is_next() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&queue.enter(USUAL)));
    let early = number(queue.enter(Priority::new(6)));
    let late = number(queue.enter(Priority::new(6)));
    let urgent = number(queue.enter(Priority::new(1)));
    assert_eq!(queue.turn(late, Waker::noop()), Turn::Shed);
    assert!(matches!(queue.enter(Priority::new(6)), Entry::Full));
    queue.leave();
    assert_eq!(queue.turn(urgent, Waker::noop()), Turn::Admitted);
    assert_eq!(queue.turn(early, Waker::noop()), Turn::Wait);
}

proptest! {
    #[test]
    fn nothing_leaks_whoever_leaves_when(limit in 1_u32..5, max in 0_u32..5, steps in steps()) {
        let queue = Queue::new(limit, max);
        let mut model = Model {
            limit: limit as usize,
            max: max as usize,
            running: Vec::new(),
            waiting: Vec::new(),
            shed: Vec::new(),
        };
        for step in steps {
            match step {
                Step::Enter(urgency) => {
                    let priority = Priority::new(urgency);
                    model.enter(priority, queue.enter(priority));
                }
                Step::Leave(index) if !model.running.is_empty() => {
                    // One that was handed its slot and never looked gives up instead.
                    let index = index % model.running.len();
                    match model.running.swap_remove(index) {
                        Some(number) => queue.give_up(number),
                        None => queue.leave(),
                    };
                    model.settle();
                }
                Step::GiveUp(index) if !model.waiting.is_empty() => {
                    let index = index % model.waiting.len();
                    prop_assert!(queue.give_up(model.waiting.remove(index)).is_none());
                }
                Step::Limit(limit) => {
                    drop(queue.set_limit(limit));
                    model.limit = limit as usize;
                    model.settle();
                }
                Step::Leave(_) | Step::GiveUp(_) => {}
            }
            for number in model.shed.drain(..) {
                prop_assert_eq!(queue.turn(number, Waker::noop()), Turn::Shed);
            }
            model.compare(&queue);
        }
    }
}
