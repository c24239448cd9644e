// Attaches kernel and runtime events to the spans in which they happened; the table kRules defines the result for each
// kind of event. An event that fits no span, or several, is counted and left out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/trace/span.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/spans/carriers.h"
#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"

namespace tailcap::spans {

enum class Subject : std::uint8_t {
  connect,
  dns,
  tls,
  retransmit,
  reset,
  off_cpu,
  major_fault,
  reclaim,
  block_io,
  kernel_stall,
  file_call,
  gc_stop,
  panic,
  count_
};
inline constexpr std::size_t kSubjects = static_cast<std::size_t>(Subject::count_);

struct EnrichmentRule {
  Subject subject;
  std::string_view name;    // of the span event, or of what it becomes
  std::string_view events;  // which events of the capture, as `tailcap events` names them
  std::string_view match;   // by what the span is found
  std::string_view becomes;
};
inline constexpr std::array<EnrichmentRule, kSubjects> kRules = {{
    {Subject::connect, "connect", "state_change from close to syn_sent",
     "set-up of the connection's first request; else thread or goroutine", "child span; else span event"},
    {Subject::dns, "dns.lookup", "send and receive to port 53", "set-up of the connection's first request; else thread",
     "child span; else span event"},
    {Subject::tls, "tls.handshake", "records of a TLS handshake", "set-up of the connection's first request",
     "child span"},
    {Subject::retransmit, "tcp.retransmit", "retransmit", "bytes of the socket", "span event"},
    {Subject::reset, "tcp.reset", "reset", "socket and time", "span event"},
    {Subject::off_cpu, "tailcap.off_cpu", "off_cpu", "thread or goroutine", "attributes: how often and how long"},
    {Subject::major_fault, "page_fault.major", "stall: major_fault", "thread or goroutine", "span event"},
    {Subject::reclaim, "memory.reclaim", "stall: reclaim, compaction", "thread or goroutine", "span event"},
    {Subject::block_io, "block_io", "stall: block_io, io_throttled", "thread or goroutine", "span event"},
    {Subject::kernel_stall, "kernel.stall", "stall: all others that last", "thread or goroutine", "span event"},
    {Subject::file_call, "file", "file_call", "thread or goroutine", "span event"},
    {Subject::gc_stop, "gc.stop", "go_runtime: stopped to started", "process, all that it served then", "span event"},
    {Subject::panic, "exception", "go_panic", "goroutine", "span event"},
}};

struct EnrichmentTally {
  std::uint64_t attached = 0;
  std::uint64_t unmatched = 0;  // fit no span, those that fit several among them
  std::uint64_t several = 0;
};

struct RowEvents {
  struct One {
    formats::Time time = formats::kNoTime;
    Subject subject = Subject::connect;
    model::Attributes attributes;
  };
  std::vector<One> events;  // by time
  std::uint32_t left_out = 0;
  std::uint64_t waits = 0;  // off-CPU intervals
  formats::Duration waited{};
};

class Enrichment {
 public:
  static constexpr std::size_t kMaxEvents = 128;  // of one span: what OpenTelemetry's SDKs keep
  static constexpr std::size_t kMaxAll = 2'000'000;

  // carriers are settled. All must outlive this.
  Enrichment(const model::RequestTable& table, const AllEnds& ends, const Carriers& carriers);

  // All events once more, with the lookups that they ended before them; then settle().
  void push(const model::Lookup& lookup);
  void push(const formats::Event& event);
  // handshakes: how many were seen, of whatever connections.
  void settle(std::uint64_t handshakes);

  const RowEvents* of(std::uint32_t row) const;
  const std::array<EnrichmentTally, kSubjects>& tallies() const { return tallies_; }

 private:
  struct Connecting {
    formats::Time began = formats::kNoTime;
    std::uint32_t row = Intervals::kNone;
    bool by_goroutine = false;
  };
  struct Asked {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  void take(const formats::Event& event, const formats::StateChange& change);
  void take(const formats::Event& event, const formats::Retransmit& retransmit);
  void take(const formats::Event& event, const formats::Reset& reset);
  void take(const formats::Event& event, const formats::OffCpu& off);
  void take(const formats::Event& event, const formats::Stall& stall);
  void take(const formats::Event& event, const formats::FileCall& call);
  void take(const formats::Event& event, const formats::GoRuntime& runtime);
  void take(const formats::Event& event, const formats::GoPanic& panic);
  template <class Other>
  void take(const formats::Event&, const Other&) {}

  // Counts; true: there is such a row.
  bool found(Subject subject, std::uint32_t row);
  void attach(Subject subject, std::uint32_t row, formats::Time time, model::Attributes attributes);
  void connected(const Connecting& connecting, formats::SocketId socket, formats::Time done, int error);

  const model::RequestTable& table_;
  const Carriers& carriers_;
  std::array<EnrichmentTally, kSubjects> tallies_{};
  std::unordered_map<std::uint32_t, RowEvents> rows_;
  std::size_t kept_ = 0;
  std::unordered_map<formats::SocketId, formats::Time> setup_connects_;  // of connections whose first request says so
  std::unordered_map<std::uint64_t, std::vector<Asked>> setup_lookups_;  // by process and name
  std::unordered_map<formats::SocketId, Connecting> connecting_;
  std::unordered_map<std::uint32_t, std::pair<formats::Time, std::string>> stopped_;  // by pid: since when and why
};

}  // namespace tailcap::spans
