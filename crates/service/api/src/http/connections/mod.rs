//! Connections of clients, bounded in number and in the time they may take.
//!
//! A connection is *busy* while an exchange is under way on it; what bounds those is the handler's business. At all
//! other times it owes us a request: it is closed when it has been idle for `IDLE_LIMIT` or has not finished a request's
//! head `HEAD_LIMIT` after its first byte. At the limit, whichever has been without an exchange longest makes room for the
//! newest; that there is one is ensured by refusing exchanges beyond `BUSY_SHARE`. So a new client always gets in.
//!
//! One set per HTTP thread, on which all of its connections live: nothing here is locked.

mod stream;
mod unreadable;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use actix_web::HttpRequest;
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(super) use self::stream::Stream;

/// How long a connection may be kept without a request. Clients that pool connections ask again within this or reconnect.
const IDLE_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may take to send a request line and headers, each time.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The part of the limit that may be busy, in eighths; the rest is for those who only ask whether the service lives.
pub(super) const BUSY_SHARE: usize = 7;

/// The connections of one HTTP thread.
pub(super) struct Connections {
    limit: usize,
    open: Cell<usize>,
    /// Those without an exchange, longest first.
    idle: RefCell<BTreeMap<u64, Rc<Connection>>>,
    next_turn: Cell<u64>,
}

/// One connection, as its stream and the exchanges on it see it.
pub(super) struct Connection {
    all: Rc<Connections>,
    exchanges: Cell<u32>,
    /// Its place among the idle ones.
    turn: Cell<u64>,
    /// When it must have sent a whole head, unless an exchange is under way.
    head_due: Cell<Instant>,
    head_begun: Cell<bool>,
    must_close: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// Keeps a connection busy until it is dropped.
pub(super) struct Exchange(Rc<Connection>);

impl Connections {
    /// At most `limit` at once.
    pub(super) fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self {
            limit,
            open: Cell::new(0),
            idle: RefCell::default(),
            next_turn: Cell::new(0),
        })
    }

    /// Takes in a new one, at the expense of an idle one if need be; `None` if all are busy.
    pub(super) fn admit(self: &Rc<Self>, socket: TcpStream) -> Option<Stream> {
        if self.open.get() >= self.limit {
            let (_, longest) = self.idle.borrow_mut().pop_first()?;
            longest.close();
        }
        self.open.set(self.open.get() + 1);
        let connection = Rc::new(Connection {
            all: Rc::clone(self),
            exchanges: Cell::new(0),
            turn: Cell::new(0),
            head_due: Cell::new(Instant::now()),
            head_begun: Cell::new(false),
            must_close: Cell::new(false),
            waker: RefCell::default(),
        });
        connection.rest();
        Some(Stream::new(socket, connection))
    }

    fn busy(&self) -> usize {
        self.open.get().saturating_sub(self.idle.borrow().len())
    }
}

impl Connection {
    /// Waits for a request, behind all others that do.
    fn rest(self: &Rc<Self>) {
        let turn = self.all.next_turn.get();
        self.all.next_turn.set(turn + 1);
        self.turn.set(turn);
        self.head_begun.set(false);
        self.head_due.set(Instant::now() + IDLE_LIMIT);
        self.all.idle.borrow_mut().insert(turn, Rc::clone(self));
    }

    /// When it is closed if nothing more comes; `None` while it is busy.
    fn due(&self) -> Option<Instant> {
        (self.exchanges.get() == 0).then(|| self.head_due.get())
    }

    /// Bytes have come.
    fn heard(&self) {
        if self.exchanges.get() == 0 && !self.head_begun.replace(true) {
            self.head_due.set(Instant::now() + HEAD_LIMIT);
        }
    }

    fn close(&self) {
        self.must_close.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Its stream is gone, whatever is under way on it.
    fn gone(&self) {
        self.all.open.set(self.all.open.get().saturating_sub(1));
        self.all.idle.borrow_mut().remove(&self.turn.get());
        self.must_close.set(true);
        self.waker.take();
    }
}

impl Exchange {
    /// One that begins on the connection of `request`, if it came over one.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        let connection = Rc::clone(request.conn_data::<Rc<Connection>>()?);
        let before = connection.exchanges.get();
        connection.exchanges.set(before + 1);
        if before == 0 {
            connection
                .all
                .idle
                .borrow_mut()
                .remove(&connection.turn.get());
        }
        Some(Self(connection))
    }

    /// Whether there are so many that a client which has just come might find no connection to give way.
    pub(super) fn is_one_too_many(&self) -> bool {
        let all = &self.0.all;
        all.busy() > all.limit * BUSY_SHARE / 8
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let connection = &self.0;
        let left = connection.exchanges.get().saturating_sub(1);
        connection.exchanges.set(left);
        if left == 0 && !connection.must_close.get() {
            connection.rest();
        }
    }
}
