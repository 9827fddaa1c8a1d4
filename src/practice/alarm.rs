//! Waiting for a moment to the microsecond rather than to tokio's millisecond.
//!
//! A latency of 5 ms that comes out anywhere from 5 to 7 would still be *recorded* truly, but it is not what was
//! asked for. On Linux each connection that ever waits owns one timerfd; elsewhere, or when descriptors run out,
//! tokio's timer serves.

use std::time::Instant;

use tokio::time::sleep_until;

/// One connection's timer; made at its first use.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<linux::Timer>,
}

impl Alarm {
    /// Waits until `due`; does not wait when it has passed.
    pub(super) async fn until(&mut self, due: Instant) {
        #[cfg(target_os = "linux")]
        {
            if self.timer.is_none() {
                self.timer = linux::Timer::new().ok();
            }
            if let Some(timer) = &self.timer
                && timer.until(due).await.is_ok()
            {
                return;
            }
        }
        sleep_until(due.into()).await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Instant;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Timer {
        fd: AsyncFd<OwnedFd>,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe for types whose descriptor may change; OwnedFd's cannot"
            )]
            let fd = AsyncFd::new(fd)?;
            Ok(Self { fd })
        }

        /// Waits until `due`. Setting the timer anew forgets whatever an abandoned wait left behind.
        pub(super) async fn until(&self, due: Instant) -> io::Result<()> {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let value = Timespec::try_from(left).map_err(io::Error::other)?;
            timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: zero, it_value: value })?;
            loop {
                let mut ready = self.fd.readable().await?;
                let expiries = ready.try_io(|fd| Ok(rustix::io::read(fd, &mut [0_u8; 8])?));
                if let Ok(expiries) = expiries {
                    return expiries.map(drop);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_never_rings_early_and_serves_again_after_an_abandoned_wait() {
        let mut alarm = Alarm::default();
        let long = Instant::now() + Duration::from_secs(60);
        let abandoned = tokio::time::timeout(Duration::from_millis(5), alarm.until(long)).await;
        assert!(abandoned.is_err());
        for micros in [0, 1, 700, 2_300] {
            let due = Instant::now() + Duration::from_micros(micros);
            alarm.until(due).await;
            assert!(Instant::now() >= due, "{micros} us");
        }
    }
}
