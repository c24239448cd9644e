// Captures in which one thing makes one request of twenty slow: the first answer of the report names it, from raw
// events on.
#include <algorithm>
#include <functional>

#include "analyze/report/tail/sentence.h"
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using model::Label;

constexpr Thread kService{10, 11}, kOther{10, 12};
constexpr std::int16_t kFsync = 74;
constexpr int kRequests = 200, kEvery = 20;
constexpr Duration kCause = 20ms;

// One request; `at` is when it has been read.
struct Slow {
  PartitionCase& c;
  Duration at;
  Endpoint* downstream;
};

struct Cause {
  const char* name;
  Label label;
  std::function<void(const Slow&)> act;
};

void off(const Slow& s, std::int16_t call, const std::function<void(formats::OffCpu&)>& change = {}) {
  formats::OffCpu& o = s.c.off(kService, s.at + 10us, s.at + 10us + kCause, s.at + 10us + kCause, call, 0x7f00);
  if (change) change(o);
}

const std::vector<Cause> kCauses = {
    {"sleep", Label::timer_sleep, [](const Slow& s) { off(s, kSleep); }},
    {"computing", Label::cpu, [](const Slow&) {}},
    {"lock", Label::lock_futex, [](const Slow& s) { off(s, kFutex, [](auto& o) { o.waker = kOther.tid; }); }},
    {"preempted", Label::sched_preempted,
     [](const Slow& s) { s.c.preempted(kService, s.at + 10us, s.at + 10us + kCause); }},
    {"quota", Label::sched_throttled,
     [](const Slow& s) { s.c.preempted(kService, s.at + 10us, s.at + 10us + kCause).throttled = true; }},
    {"stopped", Label::sched_stopped, [](const Slow& s) { off(s, -1, [](auto& o) { o.state = 4; }); }},
    {"disk", Label::io_blocked, [](const Slow& s) { off(s, kFsync, [](auto& o) { o.state = 2; }); }},
    {"pipe", Label::io_pipe, [](const Slow& s) { off(s, kRead, [](auto& o) { o.file = formats::FileKind::pipe; }); }},
    {"terminal", Label::io_tty,
     [](const Slow& s) { off(s, kRead, [](auto& o) { o.file = formats::FileKind::terminal; }); }},
    {"late timer", Label::q_notice,
     [](const Slow& s) {
       off(s, kSleep, [](auto& o) {
         o.timed = true;
         o.argument1 = 100'000;
       });
     }},
    {"queue for a CPU", Label::sched_runq,
     [](const Slow& s) { s.c.off(kService, s.at + 10us, s.at + 20us, s.at + 20us + kCause, kSleep); }},
    {"called service", Label::down_wait,
     [](const Slow& s) {
       s.downstream->send(s.at + 10us, get("/stock"));
       s.c.off(kService, s.at + 20us, s.at + kCause, s.at + kCause, kRecvfrom).socket = s.downstream->socket();
       s.downstream->receive(s.at + kCause, s.at + kCause + 10us, kOk);
     }},
};

class OneCause : public testing::TestWithParam<Cause> {};

TEST_P(OneCause, IsTheFirstAnswer) {
  PartitionCase c;
  c.study = true;
  Endpoint& e = c.accepted(kService);
  Endpoint& down = c.connected(kService);
  for (int i = 0; i < kRequests; ++i) {
    const bool slow = i % kEvery == 7;
    // Not at regular distances, and requests differ.
    const Duration begin = 50ms * i + std::chrono::microseconds{(i * 7919) % 9973};
    e.arrive(begin, static_cast<std::uint32_t>(get("/pay").size()));
    c.off(kService, begin - 10ms, begin + 10us, begin + 20us, kRecvfrom).socket = e.socket();
    const Duration read = begin + 30us;
    e.read(read, get("/pay"));
    if (slow) GetParam().act({c, read, &down});
    e.send(read + (slow ? kCause : 0ms) + std::chrono::microseconds{200 + (i * 31) % 97}, kOk);
  }
  const pipeline::Analysis& a = c.analysis();
  ASSERT_FALSE(a.study.verdicts.empty());
  const model::Verdict& first = a.study.verdicts.front();
  EXPECT_GE(first.level, model::VerdictLevel::note);
  ASSERT_FALSE(first.parts.empty());
  const auto& labels = first.parts.front().labels;
  EXPECT_NE(std::find(labels.begin(), labels.end(), GetParam().label), labels.end())
      << model::name_of(first.parts.front().label);
  EXPECT_EQ(first.requests, static_cast<std::uint64_t>(kRequests / kEvery));
  EXPECT_NEAR(static_cast<double>(first.parts.front().slow), 20e6, 0.5e6);
  const std::string said = report::tail::sentence(first, a.study, a.table);
  // The recorded processes did not use the CPUs.
  const bool machine = GetParam().label == Label::sched_preempted || GetParam().label == Label::sched_runq;
  EXPECT_EQ(first.scope, machine ? model::VerdictScope::machine : model::VerdictScope::route);
  const std::string_view expected = machine ? "The machine was short of CPU" : model::text_of(GetParam().label);
  EXPECT_NE(said.find(expected), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(Twelve, OneCause, testing::ValuesIn(kCauses), [](const auto& cause) {
  std::string name = cause.param.name;
  std::erase(name, ' ');
  return name;
});

}  // namespace
}  // namespace tailcap
