//! A server that is away for a time and then comes back by itself, for example while it or its ingress restarts.
//! Owns the kinds of absence and whether one is in progress; `connection` and `wire` apply them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How a server is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// Connections are closed and new ones are refused, as without a process on the port.
    Refused,
    /// Connections are reset, and new ones are reset as soon as they are accepted.
    Reset,
    /// Every call is answered with this status and the page of a proxy; not executed.
    Status(u16),
    /// Connections are accepted, calls are read and never answered; not executed.
    Silent,
}

/// An order to be away, and whom to tell that it has begun.
pub(super) struct Order {
    pub(super) how: Away,
    pub(super) lasting: Duration,
    pub(super) begun: oneshot::Sender<()>,
}

/// The absence that is in progress, if any.
pub(super) struct Absence {
    current: Mutex<Option<(Away, Instant)>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Absence {
    /// No absence, and the receiver of the orders.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, received) = mpsc::unbounded_channel();
        let absence = Self {
            current: Mutex::default(),
            orders,
        };
        (absence, received)
    }

    /// Orders an absence, and waits until it has begun.
    pub(super) async fn order(&self, lasting: Duration, how: Away) {
        let (begun, has_begun) = oneshot::channel();
        let order = Order {
            how,
            lasting,
            begun,
        };
        // Both fail only if the server has stopped.
        let _ordered = self.orders.send(order);
        let _begun = has_begun.await;
    }

    /// Begins an absence; returns when it ends.
    pub(super) fn begin(&self, how: Away, lasting: Duration) -> Instant {
        let until = Instant::now() + lasting;
        *self.lock() = Some((how, until));
        until
    }

    /// How the server is away now, and until when.
    pub(super) fn now(&self) -> Option<(Away, Instant)> {
        self.lock().filter(|(_, until)| Instant::now() < *until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Away, Instant)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
