//! Several machines at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for each of `items`, at most `jobs` at a time. They begin in their order; they end as they do.
pub fn each<T: Sync>(items: &[T], jobs: usize, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn each_is_done_once_whatever_the_number_of_jobs() {
        for jobs in [1, 2, 9] {
            let done = Mutex::new(Vec::new());
            each(&[3, 1, 2], jobs, |item| done.lock().expect("no panic").push(*item));
            let mut done = done.into_inner().expect("no panic");
            done.sort_unstable();
            assert_eq!(done, [1, 2, 3], "{jobs} jobs");
        }
    }
}
