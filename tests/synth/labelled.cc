#include "tests/synth/labelled.h"

#include <random>

namespace tailcap::synth {
namespace {

using model::Label;

constexpr std::int16_t kRead = 0, kFsync = 74, kFutex = 202, kRecvfrom = 45, kSendto = 44, kSleep = 230;

// One thread with its connection, and one to another service.
class Worker {
 public:
  Worker(Scenario& scenario, std::uint64_t seed, std::uint32_t number, Duration from)
      : s_(scenario),
        random_(seed * 1000 + number),
        thread_{10 + number, 10 + number},
        number_(number),
        now_(from + Duration{100}),
        in_(open(formats::Origin::accepted)),
        out_(open(formats::Origin::connected)) {}

  LabelledTruth serve(std::uint32_t request) {
    truth_ = {};
    truth_.target = "/t" + std::to_string(number_) + "/" + std::to_string(request);
    // It sleeps until the request comes, is woken, queues for a CPU, reads.
    const Duration slept = now_;
    now_ += some(50'000);
    truth_.start = now_;
    const std::string ask = "POST " + truth_.target + " HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
    const bool late = random_() % 4 == 0;  // the body comes later
    in_.arrive(now_, static_cast<std::uint32_t>(ask.size() + (late ? 0 : 5)));
    const Duration woken = spend(Label::q_notice), on = spend(Label::sched_runq);
    off(slept, woken, on, kRecvfrom, in_.socket());
    spend(Label::cpu);
    in_.read(now_, ask + (late ? "" : "12345"));
    if (late) {
      spend(Label::cpu);
      const Duration left = now_;
      in_.arrive(spend(Label::net_upload), 5);
      const Duration up = spend(Label::q_notice), back = spend(Label::sched_runq);
      off(left, up, back, kRecvfrom, in_.socket());
      spend(Label::cpu);
      in_.read(now_, "12345");
    }
    for (auto n = random_() % 6; n > 0; --n) {
      spend(Label::cpu);
      something();
    }
    spend(Label::cpu);
    in_.send(now_, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    if (random_() % 3 == 0) {
      spend(Label::cpu);
      unsent();
    }
    spend(Label::cpu);
    in_.send(now_, "cd");
    truth_.end = now_;
    now_ += some(1000);
    return truth_;
  }

 private:
  Endpoint& open(formats::Origin origin) {
    Opening o;
    o.thread = thread_;
    o.origin = origin;
    const bool accepted = origin == formats::Origin::accepted;
    (accepted ? o.remote : o.local) = (accepted ? "10.0.0.2:" : "10.0.0.1:") + std::to_string(20000 + number_);
    if (!accepted) o.remote = "10.0.0.3:80";
    return s_.open(now_, o);
  }

  Duration some(std::int64_t most) {
    return Duration{1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most))};
  }

  // Lets time pass under a label. Returns its end.
  Duration spend(Label label) {
    const Duration taken = some(20'000);
    truth_.labels[label] += taken;
    return now_ += taken;
  }

  formats::OffCpu off_cpu(Duration left, Duration woken, std::int16_t syscall) {
    formats::OffCpu body;
    body.left = kStart + left;
    body.runnable = kStart + woken;
    body.state = 1;
    body.syscall = syscall;
    return body;
  }
  void off(Duration left, Duration woken, Duration back, std::int16_t syscall, formats::SocketId socket) {
    formats::OffCpu body = off_cpu(left, woken, syscall);
    body.socket = socket;
    s_.add(back, thread_, body);
  }
  // It waits for something with one label, then queues for a CPU.
  void blocked(Label label, std::int16_t syscall, std::uint32_t state, formats::SocketId socket = 0) {
    const Duration left = now_, woken = spend(label), back = spend(Label::sched_runq);
    formats::OffCpu body = off_cpu(left, woken, syscall);
    body.state = state;
    body.socket = socket;
    body.argument0 = label == Label::lock_futex ? 0x7f00 : 3;
    s_.add(back, thread_, body);
  }

  // It cannot write, and TCP gives the reason.
  void unsent() {
    formats::Stall stall;
    const bool window = random_() % 2 == 0;
    stall.what = window ? formats::StallKind::peer_window : formats::StallKind::congestion;
    stall.began = kStart + now_;
    stall.where = in_.socket();
    stall.detail = window ? 100 : 0;
    const Label label = window ? Label::send_sndbuf : Label::send_cwnd;
    const Duration left = now_, woken = spend(label), back = spend(Label::sched_runq);
    s_.add(woken, thread_, stall);
    off(left, woken, back, kSendto, in_.socket());
  }

  void something() {
    switch (random_() % 8) {
      case 0:
        return blocked(Label::timer_sleep, kSleep, 1);
      case 1:
        return blocked(Label::lock_futex, kFutex, 1);
      case 2:
        return blocked(Label::io_blocked, kFsync, 2);
      case 3:
        return blocked(Label::blocked_kernel, -1, 2);
      case 4:
        return blocked(Label::sched_stopped, -1, 4);
      case 5: {
        const bool quota = random_() % 2 == 0;
        const Duration left = now_, back = spend(quota ? Label::sched_throttled : Label::sched_preempted);
        formats::OffCpu body = off_cpu(left, left, -1);
        body.state = 0;
        body.throttled = quota;
        s_.add(back, thread_, body);
        return;
      }
      case 6: {
        const Duration left = now_, queued = random_() % 2 == 0 ? spend(Label::io_throttled) : left,
                       woken = spend(Label::io_disk), back = spend(Label::sched_runq);
        formats::OffCpu body = off_cpu(left, woken, kRead);
        body.state = 2;
        formats::Stall stall;
        stall.where = 0x800001;
        if (queued > left) {
          stall.what = formats::StallKind::io_throttled;
          stall.began = kStart + left;
          s_.add(queued, thread_, stall);
        }
        stall.what = formats::StallKind::block_io;
        stall.began = kStart + queued;
        s_.add(woken, thread_, stall);
        s_.add(back, thread_, body);
        return;
      }
      default:
        return call();
    }
  }

  void call() {
    out_.send(now_, "GET /down HTTP/1.1\r\nHost: h\r\n\r\n");
    static const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    spend(Label::cpu);
    const Duration left = now_;
    out_.arrive(spend(Label::down_wait), static_cast<std::uint32_t>(answer.size()));
    const Duration woken = spend(Label::q_notice), back = spend(Label::sched_runq);
    off(left, woken, back, kRecvfrom, out_.socket());
    spend(Label::cpu);
    out_.read(now_, answer);
  }

  Scenario& s_;
  std::mt19937_64 random_;
  Thread thread_;
  std::uint32_t number_;
  Duration now_;
  Endpoint& in_;
  Endpoint& out_;
  LabelledTruth truth_;
};

}  // namespace

std::vector<LabelledTruth> labelled_service(Scenario& scenario, std::uint64_t seed, std::uint32_t threads,
                                            std::uint32_t requests, Duration from) {
  std::vector<LabelledTruth> all;
  for (std::uint32_t t = 0; t < threads; ++t) {
    Worker worker(scenario, seed, t + 100 * static_cast<std::uint32_t>(from / std::chrono::milliseconds{100}), from);
    for (std::uint32_t i = 0; i < requests; ++i) all.push_back(worker.serve(i));
  }
  return all;
}

}  // namespace tailcap::synth
