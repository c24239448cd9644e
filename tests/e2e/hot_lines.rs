// As hot_lines.c, in Rust.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static SINK: AtomicU64 = AtomicU64::new(0);

mod shop {
    use super::*;
    pub trait Page {
        fn render(&self, rounds: u64);
    }
    pub struct Cart<T>(pub T);
    #[inline(always)]
    fn mix(rounds: u64) {
        for i in 0..rounds {
            SINK.store(std::hint::black_box(i * 7), Ordering::Relaxed); // line 16
        }
    }
    impl<T> Page for Cart<T> {
        #[inline(never)]
        fn render(&self, rounds: u64) {
            mix(rounds); // line 22
            SINK.store(1, Ordering::Relaxed);
        }
    }
}

fn main() {
    use shop::Page;
    let seconds: f64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let cart = shop::Cart([1u8, 2]);
    while Instant::now() < end {
        cart.render(200000); // line 34
    }
    println!("done");
}
