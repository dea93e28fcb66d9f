//! Work that lives on the main runtime, whichever thread asks for it.
//!
//! A socket belongs to the runtime that made it. On an HTTP thread's it would die with that thread, and with it every
//! call of other threads that shares the connection: at each orderly stop.

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Runs `work` on `runtime` and waits for it; in place, where the caller is there already. A caller that leaves ends it, and
/// a panic is the caller's.
///
/// # Errors
/// When the runtime is shutting down.
pub(crate) async fn run_on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    if Handle::try_current().is_ok_and(|here| here.id() == runtime.id()) {
        return Ok(work.await);
    }
    let mut task = AbortOnDrop(runtime.spawn(work));
    (&mut task.0)
        .await
        .map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopped) => stopped,
        })
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_caller_that_leaves_ends_the_work_here_and_elsewhere() {
        let other = tokio::runtime::Runtime::new().unwrap();
        for runtime in [Handle::current(), other.handle().clone()] {
            let (alive, ended) = oneshot::channel::<()>();
            let work = run_on(&runtime, async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            });
            drop(tokio::time::timeout(std::time::Duration::from_millis(1), work).await);
            assert!(ended.await.is_err(), "the work was dropped");
        }
        other.shutdown_background();
    }

    #[tokio::test]
    async fn a_panic_is_the_callers() {
        let other = tokio::runtime::Runtime::new().unwrap();
        let handle = other.handle().clone();
        let caller =
            tokio::spawn(async move { run_on(&handle, async { panic!("on purpose") }).await });
        let error = caller.await.map(drop).unwrap_err();
        assert_eq!(error.into_panic().downcast_ref(), Some(&"on purpose"));
        other.shutdown_background();
    }

    #[test]
    fn what_was_made_outlives_the_thread_that_asked() {
        let main = tokio::runtime::Runtime::new().unwrap();
        let handle = main.handle().clone();
        let asking = std::thread::spawn(move || {
            let thread = tokio::runtime::Builder::new_current_thread().build();
            thread.unwrap().block_on(run_on(&handle, async {
                // Needs the runtime's clock and reactor, which the asking thread's does not even have.
                tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()
            }))
        });
        let listener = asking.join().unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        main.block_on(async move {
            let connected = tokio::net::TcpStream::connect(address).await;
            let (accepted, _) = listener.accept().await.unwrap();
            drop((connected.unwrap(), accepted));
        });
    }
}
