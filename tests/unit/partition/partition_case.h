// A handmade service; the labels of its requests are known to the nanosecond.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap {

using namespace std::chrono_literals;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

constexpr std::int16_t kRead = 0, kSendto = 44, kRecvfrom = 45, kFutex = 202, kSleep = 230, kEpollWait = 232;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
inline std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

struct PartitionCase {
  Scenario s;
  std::uint16_t ports = 0;
  bool study = false;

  Endpoint& accepted(Thread thread) {
    Opening o;
    o.thread = thread;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  Endpoint& connected(Thread thread) {
    Opening o;
    o.thread = thread;
    o.origin = formats::Origin::connected;
    o.local = "10.0.0.1:" + std::to_string(50000 + ports++);
    o.remote = "10.0.0.3:80";
    return s.open(0ms, o);
  }
  // Off-CPU in a system call: switched out at `left`, runnable at `woken`, switched in at `on`.
  formats::OffCpu& off(Thread thread, Duration left, Duration woken, Duration on, std::int16_t syscall,
                       std::uint64_t argument0 = 0, std::uint32_t waker = 0, std::uint64_t goroutine = 0) {
    offs.push_back({on, thread, goroutine, {}});
    formats::OffCpu& o = offs.back().off;
    o.left = synth::kStart + left;
    o.runnable = synth::kStart + woken;
    o.syscall = syscall;
    o.state = 1;
    o.argument0 = argument0;
    o.waker = waker;
    return o;
  }
  // Off-CPU from `left` on, when the recording ended.
  void ongoing(Thread thread, Duration left, Duration end, std::int16_t syscall) {
    formats::OffCpu& o = off(thread, left, left, end, syscall);
    o.runnable = formats::kNoTime;
    o.ongoing = true;
  }
  // Preempted: runnable all the time.
  formats::OffCpu& preempted(Thread thread, Duration left, Duration on, std::uint64_t goroutine = 0) {
    formats::OffCpu& o = off(thread, left, left, on, -1, 0, 0, goroutine);
    o.state = 0;
    return o;
  }

  // "down.wait 5000 cpu~ 20": labels of the request to this target over all phases, ordered by number.
  std::string labels(const std::string& target, model::Role role = model::Role::server) {
    const pipeline::Analysis& a = analysis();
    for (const model::Request row : a.table.rows) {
      if (a.table.texts[row.path] != target || row.role != role) continue;
      std::map<std::pair<model::Label, model::Evidence>, std::int64_t> sums;
      std::int64_t sum = 0;
      for (const model::AccountPart& p : a.table.partitions.parts(row.id)) {
        sums[{p.label, p.evidence}] += p.time;
        sum += p.time;
      }
      EXPECT_EQ(sum, row.duration.count());
      std::string text;
      for (const auto& [what, time] : sums)
        text += (text.empty() ? "" : " ") + std::string(model::name_of(what.first)) +
                (what.second == model::Evidence::inferred ? "~ " : " ") + std::to_string(time / 1000) +
                (time % 1000 == 0 ? "" : "." + std::to_string(time % 1000));
      return text;
    }
    return "no such request";
  }
  model::Culprit culprit(const std::string& target, model::Label label) {
    const pipeline::Analysis& a = analysis();
    for (const model::Request row : a.table.rows)
      if (a.table.texts[row.path] == target && row.role == model::Role::server)
        for (const model::Culprit& c : a.table.partitions.culprits(row.id))
          if (c.label == label) return c;
    return {};
  }
  model::Occurrences occurrences(const std::string& target) {
    const pipeline::Analysis& a = analysis();
    for (const model::Request row : a.table.rows)
      if (a.table.texts[row.path] == target && row.role == model::Role::server) return a.table.occurrences.find(row.id);
    return {};
  }
  // "down.wait /stock > lock.futex /restock > cpu: 18000": what the request waited for, one line a chain, most time
  // first. "…": who was behind the last step is not recorded.
  std::string chains(const std::string& target) {
    study = true;
    const pipeline::Analysis& a = analysis();
    std::string text;
    for (std::uint32_t row = 0; row < a.table.rows.size(); ++row) {
      const model::Request request = a.table.rows[row];
      const auto found = a.table.chains.find(request.id);
      if (a.table.texts[request.path] != target || request.role != model::Role::server || found == a.table.chains.end())
        continue;
      for (const model::Chain& chain : found->second) {
        std::string line;
        for (const model::Culprit& step : chain.steps) {
          line += (line.empty() ? "" : " > ") + std::string(model::name_of(step.label));
          if (const std::string path = path_of(step.request); !path.empty()) line += " " + path;
        }
        text += line + (chain.beyond_capture ? " …" : "") + ": " + std::to_string(chain.time / 1000) + "\n";
      }
    }
    return text;
  }
  std::string path_of(model::ExchangeId id) {
    for (const model::Request row : analysis().table.rows)
      if (row.id == id) return std::string(analysis().table.texts[row.path]);
    return {};
  }
  const pipeline::Analysis& analysis() {
    if (done) return *done;
    for (const auto& o : offs) s.add(o.on, o.thread, o.off, o.goroutine);
    pipeline::Options options;
    options.study = study;
    options.partition = true;
    options.occurrences = true;
    done = pipeline::analyze(synth::plain_preamble(), s.with_end(), options);
    EXPECT_TRUE(done->wrong.empty());
    return *done;
  }

  struct Pending {
    Duration on{};
    Thread thread;
    std::uint64_t goroutine = 0;
    formats::OffCpu off;
  };
  std::deque<Pending> offs;
  std::optional<pipeline::Analysis> done;
};

}  // namespace tailcap
