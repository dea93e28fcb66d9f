use proptest::prelude::*;

use super::*;

const USUAL: Priority = Priority::USUAL;

fn enter(queue: &Queue, priority: Priority) -> Entry {
    enter_if(queue, priority, true)
}

fn enter_if(queue: &Queue, priority: Priority, in_time: bool) -> Entry {
    if queue.counter.take() {
        Entry::Admitted
    } else {
        queue.line_up(priority, |_| in_time)
    }
}

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
    assert!(is_admitted(&enter(&queue, USUAL)));
    let first = number(enter(&queue, USUAL));
    let second = number(enter(&queue, USUAL));
    assert!(matches!(enter(&queue, USUAL), Entry::Full));
    assert!(queue.leave().is_some());
    assert_eq!(queue.turn(first, Waker::noop()), Turn::Admitted);
    assert_eq!(queue.turn(second, Waker::noop()), Turn::Wait);
    assert_eq!(queue.counter.count().in_flight, 1, "the slot changed hands");
}

#[test]
fn a_newcomer_does_not_overtake_who_waits() {
    let queue = Queue::new(1, 1);
    assert!(is_admitted(&enter(&queue, USUAL)));
    number(enter(&queue, USUAL));
    queue.leave();
    assert!(!is_admitted(&enter(&queue, USUAL)));
}

#[test]
fn who_gives_up_after_the_hand_over_passes_the_place_on() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&enter(&queue, USUAL)));
    let first = number(enter(&queue, USUAL));
    let second = number(enter(&queue, USUAL));
    queue.leave();
    assert!(queue.give_up(first).is_some());
    assert_eq!(queue.turn(second, Waker::noop()), Turn::Admitted);
    assert!(queue.leave().is_none());
    assert_eq!(queue.counter.count().in_flight, 0);
}

#[test]
fn who_would_wait_in_vain_is_asked_by_its_turn_and_costs_nobody_a_place() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&enter(&queue, USUAL)));
    let urgent = number(enter(&queue, Priority::new(0)));
    let late = number(enter(&queue, Priority::LEAST));
    assert!(matches!(
        queue.line_up(USUAL, |turn| turn < 2),
        Entry::InVain
    ));
    assert_eq!(queue.turn(late, Waker::noop()), Turn::Wait);
    number(queue.line_up(USUAL, |turn| turn == 2));
    assert_eq!(queue.turn(late, Waker::noop()), Turn::Shed);
    assert_eq!(queue.turn(urgent, Waker::noop()), Turn::Wait);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(u8, bool),
    Leave(usize),
    GiveUp(usize),
    Limit(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..8, prop::bool::weighted(0.8)).prop_map(|(urgency, in_time)| Step::Enter(urgency, in_time)),
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

    fn enter(&mut self, priority: Priority, in_time: bool, entry: Entry) {
        let free = self.running.len() < self.limit;
        match entry {
            Entry::Admitted => {
                assert!(free, "there is no slot");
                self.running.push(None);
            }
            Entry::Wait(number, woken) => {
                assert!(!free && in_time);
                if self.waiting.len() == self.max {
                    let victim = self.victim(priority).expect("nobody is less urgent");
                    self.waiting.retain(|it| *it != victim);
                    self.shed.push(victim);
                    assert!(woken.is_some());
                }
                self.waiting.push(number);
            }
            Entry::InVain => assert!(!free && !in_time),
            Entry::Full => {
                assert!(!free && self.waiting.len() == self.max);
                assert!(self.victim(priority).is_none());
            }
        }
    }

    fn compare(&self, queue: &Queue) {
        let count = |numbers: usize| u32::try_from(numbers).unwrap();
        let usage = (count(self.running.len()), count(self.waiting.len()));
        let counted = queue.counter.count();
        assert_eq!((counted.in_flight, counted.waiting), usage);
        for number in &self.waiting {
            assert_eq!(queue.turn(*number, Waker::noop()), Turn::Wait);
        }
    }
}

#[test]
fn the_least_urgent_newest_is_shed_for_somebody_more_urgent_and_the_most_urgent_is_next() {
    let queue = Queue::new(1, 2);
    assert!(is_admitted(&enter(&queue, USUAL)));
    let early = number(enter(&queue, Priority::new(6)));
    let late = number(enter(&queue, Priority::new(6)));
    let urgent = number(enter(&queue, Priority::new(1)));
    assert_eq!(queue.turn(late, Waker::noop()), Turn::Shed);
    assert!(matches!(enter(&queue, Priority::new(6)), Entry::Full));
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
                Step::Enter(urgency, in_time) => {
                    let priority = Priority::new(urgency);
                    let entry = enter_if(&queue, priority, in_time);
                    model.enter(priority, in_time, entry);
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
