// As spin.h.
use std::io::Write;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn now() -> i64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(1, &mut time) };
    time.seconds * 1_000_000_000 + time.nanoseconds
}

#[inline(never)]
fn render_invoice(mut sum: u64) -> u64 {
    for i in 0..200_000u64 {
        sum = (sum * 31 + i) % 1_000_003;
    }
    sum
}

#[inline(never)]
fn count_stock(mut sum: u64) -> u64 {
    for i in 0..200_000u64 {
        sum = (sum * 17 + i) % 1_000_033;
    }
    sum
}

fn turn(said: &mut std::fs::File, name: &str, function: fn(u64) -> u64, mut sum: u64) -> u64 {
    let begin = now();
    let mut end = begin;
    while end < begin + 200_000_000 {
        sum = function(sum);
        end = now();
    }
    writeln!(said, "{} {} {}", begin, end, name).unwrap();
    sum
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut said = std::fs::File::create(&arguments[1]).unwrap();
    let until = now() + arguments[2].parse::<i64>().unwrap() * 1_000_000_000;
    let mut sum = 1;
    while now() < until {
        sum = turn(&mut said, "render_invoice", render_invoice, sum);
        sum = turn(&mut said, "count_stock", count_stock, sum);
    }
    std::process::exit((sum == 1) as i32);
}
