#include "analyze/spans/enrichment.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "formats/event.h"
#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"

namespace tailcap::spans {
namespace {

using formats::Event;
using formats::known;
using formats::TcpState;
using formats::Time;
using model::Attributes;

constexpr std::size_t kMaxConnecting = 1u << 20;  // a crafted capture can begin connects for ever

std::uint64_t name_key(std::uint32_t pid, model::TextId name) { return std::uint64_t{pid} << 32 | name; }

std::int64_t ns(formats::Duration d) { return d.count(); }

Attributes matched_by(bool goroutine) {
  Attributes a;
  a.set("tailcap.match", goroutine ? "goroutine" : "thread");
  return a;
}

std::string_view name_of(formats::StallKind kind) {
  switch (kind) {
    case formats::StallKind::block_io:
      return "block_io";
    case formats::StallKind::major_fault:
      return "major_fault";
    case formats::StallKind::reclaim:
      return "reclaim";
    case formats::StallKind::kernel_lock:
      return "kernel_lock";
    case formats::StallKind::fuse:
      return "fuse";
    case formats::StallKind::writeback:
      return "writeback";
    case formats::StallKind::io_throttled:
      return "io_throttled";
    case formats::StallKind::peer_window:
      return "peer_window";
    case formats::StallKind::congestion:
      return "congestion";
    case formats::StallKind::interrupt:
      return "interrupt";
    case formats::StallKind::compaction:
      return "compaction";
    case formats::StallKind::fragmented:
    case formats::StallKind::send_full:
    case formats::StallKind::nagle:
    case formats::StallKind::undelivered:
    case formats::StallKind::unknown:
      break;
  }
  return {};
}

Subject subject_of(formats::StallKind kind) {
  switch (kind) {
    case formats::StallKind::major_fault:
      return Subject::major_fault;
    case formats::StallKind::reclaim:
    case formats::StallKind::compaction:
      return Subject::reclaim;
    case formats::StallKind::block_io:
    case formats::StallKind::io_throttled:
      return Subject::block_io;
    default:
      return Subject::kernel_stall;
  }
}

std::string_view name_of(formats::FileAct act) {
  switch (act) {
    case formats::FileAct::open:
      return "open";
    case formats::FileAct::read:
      return "read";
    case formats::FileAct::write:
      return "write";
    case formats::FileAct::sync:
      return "sync";
    case formats::FileAct::unknown:
      break;
  }
  return {};
}

}  // namespace

Enrichment::Enrichment(const model::RequestTable& table, const AllEnds& ends, const Carriers& carriers)
    : table_(table), carriers_(carriers) {
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    const model::ExchangeId id = table.rows.id(i);
    const model::Setup* setup = table.setups.find(id);
    if (!setup) continue;
    if (setup->connect().count() >= 0 && id.connection < ends.size() && ends[id.connection].socket != 0)
      setup_connects_.emplace(ends[id.connection].socket, setup->connect_began);
    if (setup->dns().count() >= 0)
      setup_lookups_[name_key(table.rows[i].pid, setup->dns_name)].push_back({setup->dns_began, setup->dns_done});
    if (setup->tls().count() >= 0) ++tallies_[static_cast<std::size_t>(Subject::tls)].attached;
  }
}

bool Enrichment::found(Subject subject, std::uint32_t row) {
  EnrichmentTally& tally = tallies_[static_cast<std::size_t>(subject)];
  if (row < Intervals::kSeveral) {
    ++tally.attached;
    return true;
  }
  ++tally.unmatched;
  if (row == Intervals::kSeveral) ++tally.several;
  return false;
}

void Enrichment::attach(Subject subject, std::uint32_t row, Time time, Attributes attributes) {
  RowEvents& events = rows_[row];
  if (events.events.size() >= kMaxEvents || kept_ >= kMaxAll) {
    ++events.left_out;
    return;
  }
  ++kept_;
  events.events.push_back({time, subject, std::move(attributes)});
}

void Enrichment::push(const model::Lookup& lookup) {
  if (!known(lookup.began)) return;
  if (const model::TextId name = table_.texts.find(lookup.name); name != 0) {
    const auto at = setup_lookups_.find(name_key(lookup.thread.pid, name));
    if (at != setup_lookups_.end())
      for (const Asked& a : at->second)
        if (lookup.began >= a.from && lookup.began <= a.to) {
          ++tallies_[static_cast<std::size_t>(Subject::dns)].attached;
          return;
        }
  }
  const Time done = known(lookup.done) ? lookup.done : lookup.began;
  const std::uint32_t row = carriers_.by_thread(lookup.thread, 0, lookup.began, done);
  if (!found(Subject::dns, row)) return;
  Attributes a = matched_by(false);
  a.set("dns.question.name", lookup.name);
  a.set("tailcap.dns.type", model::record_type_name(lookup.type));
  a.set("tailcap.dns.answer", lookup.rcode == 0 ? "NOERROR" : model::rcode_name(lookup.rcode));
  if (known(lookup.done)) a.set("tailcap.duration_ns", ns(lookup.done - lookup.began));
  attach(Subject::dns, row, lookup.began, std::move(a));
}

void Enrichment::push(const Event& event) {
  std::visit([&](const auto& body) { take(event, body); }, event.body);
}

void Enrichment::take(const Event& event, const formats::StateChange& change) {
  if (change.to == TcpState::syn_sent) {
    const auto setup = setup_connects_.find(change.socket);
    if (setup != setup_connects_.end() && setup->second == event.time) {
      ++tallies_[static_cast<std::size_t>(Subject::connect)].attached;
      return;
    }
    const std::uint32_t row = change.by_thread ? carriers_.by_thread(event, event.time, event.time) : Intervals::kNone;
    if (!found(Subject::connect, row)) return;
    const Connecting connecting{event.time, row, event.goroutine != 0};
    if (connecting_.size() >= kMaxConnecting)
      connected(connecting, change.socket, formats::kNoTime, 0);
    else
      connecting_[change.socket] = connecting;
    return;
  }
  if (change.from != TcpState::syn_sent) return;
  const auto at = connecting_.find(change.socket);
  if (at == connecting_.end()) return;
  connected(at->second, change.socket, event.time,
            change.to == TcpState::established ? 0
            : change.error != 0                ? change.error
                                               : -1);
  connecting_.erase(at);
}

// error: errno; 0: none; negative: it failed, and did not say why.
void Enrichment::connected(const Connecting& connecting, formats::SocketId socket, Time done, int error) {
  Attributes a = matched_by(connecting.by_goroutine);
  a.set("tailcap.socket", std::to_string(socket));
  if (known(done)) a.set("tailcap.duration_ns", ns(done - connecting.began));
  a.set("tailcap.outcome", !known(done) ? "unknown" : error == 0 ? "established" : "failed");
  if (error > 0) a.set("tailcap.errno", std::int64_t{error});
  attach(Subject::connect, connecting.row, connecting.began, std::move(a));
}

void Enrichment::take(const Event& event, const formats::Retransmit& r) {
  const std::uint32_t row = carriers_.by_bytes(r.socket, r.position, event.time);
  if (!found(Subject::retransmit, row)) return;
  Attributes a;
  a.set("tailcap.match", "bytes");
  a.set("tailcap.sequence", std::int64_t{r.position});
  a.set("tailcap.bytes", std::int64_t{r.length});
  attach(Subject::retransmit, row, event.time, std::move(a));
}

void Enrichment::take(const Event& event, const formats::Reset& r) {
  const std::uint32_t row = carriers_.by_time(r.socket, event.time);
  if (!found(Subject::reset, row)) return;
  Attributes a;
  a.set("tailcap.match", "socket");
  a.set("tailcap.reset", r.direction == formats::Direction::in ? "received" : "sent");
  attach(Subject::reset, row, event.time, std::move(a));
}

void Enrichment::take(const Event& event, const formats::OffCpu& off) {
  const std::uint32_t row = carriers_.by_thread(event, off.left, event.time);
  if (!found(Subject::off_cpu, row)) return;
  RowEvents& events = rows_[row];
  // A thread cannot wait twice at once: what would not fit is a crafted capture's.
  if (event.time - off.left > formats::kMaxTime - formats::kNoTime - events.waited) return;
  ++events.waits;
  events.waited += event.time - off.left;
}

void Enrichment::take(const Event& event, const formats::Stall& stall) {
  const std::string_view name = name_of(stall.what);
  if (name.empty()) return;  // an instant, which takes no time
  const Subject subject = subject_of(stall.what);
  const std::uint32_t row = carriers_.by_thread(event, stall.began, event.time);
  if (!found(subject, row)) return;
  Attributes a = matched_by(event.goroutine != 0);
  a.set("tailcap.stall", name);
  a.set("tailcap.duration_ns", ns(event.time - stall.began));
  attach(subject, row, stall.began, std::move(a));
}

void Enrichment::take(const Event& event, const formats::FileCall& call) {
  const std::uint32_t row = carriers_.by_thread(event, call.began, event.time);
  if (!found(Subject::file_call, row)) return;
  Attributes a = matched_by(event.goroutine != 0);
  a.set_known("tailcap.file.act", name_of(call.act));
  a.set_known("file.path", call.path);
  a.set("tailcap.file.result", call.result);
  a.set("tailcap.duration_ns", ns(event.time - call.began));
  attach(Subject::file_call, row, call.began, std::move(a));
}

void Enrichment::take(const Event& event, const formats::GoRuntime& runtime) {
  auto& [since, reason] = stopped_[event.thread.pid];
  switch (runtime.phase) {
    case formats::GoPhase::stop_begin:
      reason = runtime.reason;
      break;
    case formats::GoPhase::stopped:
      since = event.time;
      break;
    case formats::GoPhase::started:
      if (known(since)) {
        const auto rows = carriers_.served(event.thread.pid, since, event.time);
        found(Subject::gc_stop, rows.empty() ? Intervals::kNone : rows.front());
        for (const std::uint32_t row : rows) {
          Attributes a;
          a.set("tailcap.match", "process");
          a.set_known("tailcap.reason", reason);
          a.set("tailcap.duration_ns", ns(event.time - since));
          attach(Subject::gc_stop, row, since, std::move(a));
        }
      }
      stopped_.erase(event.thread.pid);
      break;
    default:
      break;
  }
}

void Enrichment::take(const Event& event, const formats::GoPanic& panic) {
  if (panic.step != formats::GoPanicStep::began) return;
  const std::uint32_t row =
      event.goroutine == 0 ? Intervals::kNone : carriers_.by_thread(event, event.time, event.time);
  if (!found(Subject::panic, row)) return;
  Attributes a = matched_by(true);
  a.set("exception.type", "panic");
  attach(Subject::panic, row, event.time, std::move(a));
}

void Enrichment::settle(std::uint64_t handshakes) {
  for (const auto& [socket, connecting] : connecting_) connected(connecting, socket, formats::kNoTime, 0);
  connecting_.clear();
  EnrichmentTally& tls = tallies_[static_cast<std::size_t>(Subject::tls)];
  tls.unmatched = handshakes > tls.attached ? handshakes - tls.attached : 0;
  for (auto& [row, events] : rows_)
    std::stable_sort(events.events.begin(), events.events.end(), [](const auto& a, const auto& b) {
      return std::pair{a.time, a.subject} < std::pair{b.time, b.subject};
    });
}

const RowEvents* Enrichment::of(std::uint32_t row) const {
  const auto at = rows_.find(row);
  return at == rows_.end() ? nullptr : &at->second;
}

}  // namespace tailcap::spans
