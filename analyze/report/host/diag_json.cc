#include <span>

#include "analyze/report/host/diag.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_diag {
namespace {

using formats::Duration;
using model::LinkName;
using model::MemoryWaits;
using model::NodeStudy;
using model::PeerTrouble;

struct DiagClock {
  const NodeStudy& study;
  bool known() const { return study.clock_known; }
  std::int64_t realtime(formats::Time t) const { return formats::nanoseconds(t) + study.realtime_offset; }
};
struct DiagContext {
  DiagClock clock;
};
template <class T>
using DiagShape = Shape<T, DiagContext>;

// A list with its length, and how many there are.
template <class T>
struct Counted {
  std::uint64_t count;
  std::span<const T> listed;
};

const JsonBounds kListed{.most_items = NodeStudy::kMaxListed};
const JsonBounds kSome{.least = 1};

std::int64_t mean(Duration sum, std::uint64_t count) { return sum.count() / static_cast<std::int64_t>(count); }
std::optional<Duration> mean_or_null(Duration sum, std::uint64_t count) {
  return count > 0 ? std::optional(Duration{mean(sum, count)}) : std::nullopt;
}

const DiagShape<NodeFinding> kFinding{
    "finding",
    {
        {"kind",
         &NodeFinding::kind,
         "",
         {.values = {"oom_kill", "connect_failures", "slow_io", "reclaim", "compaction", "short_lived", "retransmits",
                     "retransmits_link", "retransmits_surge", "mtu_mismatch", "rtt_rise", "drops", "resets_received",
                     "resets_sent", "fragmented"}}},
        {"count", &NodeFinding::count, "how often", kSome},
        {"text", &NodeFinding::text, "a sentence", {.least_length = 1}},
    }};

const DiagShape<model::ShortLived> kShortLived{
    "short_lived",
    {
        {"command", &model::ShortLived::command, "as executed last"},
        {"executed", &model::ShortLived::executed, "false: it executed nothing, command is its name"},
        {"parent_pid", or_null(&model::ShortLived::parent)},
        {"parent", or_null(&model::ShortLived::parent_name), "the name of the process that started it"},
        {"count", &model::ShortLived::count, "processes", kSome},
        {"failed", &model::ShortLived::failed, "did not exit with 0"},
        {"least_ns", &model::ShortLived::least, "the shortest life"},
        {"mean_ns", [](auto& p) { return Duration{mean(p.sum, p.count)}; }},
        {"most_ns", &model::ShortLived::most},
    }};

const DiagShape<NodeStudy> kProcesses{
    "processes",
    {
        {"started", &NodeStudy::started},
        {"ended", &NodeStudy::ended},
        {"short_ns", [](auto&) { return NodeStudy::kShort; }, "a life below this is short"},
        {"short_lived", &NodeStudy::short_count, "began and ended in the recording, and lived for less than short_ns"},
        {"listed", kShortLived, &NodeStudy::short_lived, "by command and parent, most first", kListed},
        {"left_out", &NodeStudy::short_left_out, "processes that are not listed"},
    }};

const DiagShape<MemoryWaits::Process> kWaiting{"waiting",
                                               {
                                                   {"pid", or_null(&MemoryWaits::Process::pid)},
                                                   {"comm", or_null(&MemoryWaits::Process::name)},
                                                   {"count", &MemoryWaits::Process::count, "how often", kSome},
                                                   {"total_ns", &MemoryWaits::Process::sum},
                                               }};

const DiagShape<MemoryWaits> kWaits{"waits",
                                    {
                                        {"count", &MemoryWaits::count, "how often"},
                                        {"total_ns", &MemoryWaits::sum},
                                        {"most_ns", &MemoryWaits::most},
                                        {"processes", kWaiting, &MemoryWaits::processes, "most time first", kListed},
                                    }};

using Order = std::pair<std::uint64_t, std::uint64_t>;
const DiagShape<Order> kOrder{
    "order", {{"order", &Order::first, "of the memory that was wanted: 2^order pages"}, {"count", &Order::second}}};

const DiagShape<NodeStudy> kFragmented{
    "fragmented",
    {{"count", &NodeStudy::fragments, "page blocks"}, {"orders", kOrder, &NodeStudy::fragment_orders, "ascending"}}};

const DiagShape<model::OomVictim> kVictim{"victim",
                                          {
                                              {"at_ns", &model::OomVictim::time},
                                              {"pid", or_null(&model::OomVictim::pid)},
                                              {"comm", or_null(&model::OomVictim::name)},
                                          }};

const DiagShape<NodeStudy> kKills{
    "oom_kills", {{"count", &NodeStudy::oom_count}, {"listed", kVictim, &NodeStudy::oom, "", kListed}}};

const DiagShape<NodeStudy> kMemory{
    "memory",
    {
        {"reclaim", kWaits, [](auto& s) { return where(s.has_reclaim, s.reclaim); },
         "threads of programs that freed memory themselves for 10 µs and more"},
        {"compaction", kWaits, [](auto& s) { return where(s.has_compaction, s.compaction); },
         "threads of programs that moved memory themselves for 10 µs and more"},
        {"fragmented", kFragmented, [](auto& s) { return where(s.has_fragments, s); },
         "page blocks broken up for memory of another kind"},
        {"oom_kills", kKills, [](auto& s) { return where(s.has_oom, s); }, "kills for want of memory"},
    }};

const DiagShape<PeerTrouble> kFailure{"failure",
                                      {
                                          {"address", &PeerTrouble::address},
                                          {"cause", &PeerTrouble::cause, "like refused"},
                                          {"pid", or_null(&PeerTrouble::pid)},
                                          {"comm", or_null(&PeerTrouble::name)},
                                          {"count", &PeerTrouble::count, "", kSome},
                                      }};
const DiagShape<PeerTrouble> kRetransmit{"retransmit",
                                         {
                                             {"address", &PeerTrouble::address},
                                             {"count", &PeerTrouble::count, "segments", kSome},
                                             {"bytes", &PeerTrouble::bytes},
                                         }};
const DiagShape<PeerTrouble> kReset{
    "reset", {{"address", &PeerTrouble::address}, {"count", &PeerTrouble::count, "connections", kSome}}};

using Peers = Counted<PeerTrouble>;
const DiagShape<Peers> kFailures{
    "failures", {{"count", &Peers::count}, {"listed", kFailure, &Peers::listed, "most first", kListed}}};
const DiagShape<Peers> kRetransmits{
    "retransmits", {{"count", &Peers::count}, {"listed", kRetransmit, &Peers::listed, "most first", kListed}}};
const DiagShape<Peers> kResets{"resets",
                               {{"count", &Peers::count}, {"listed", kReset, &Peers::listed, "most first", kListed}}};

const DiagShape<LinkName> kLink{
    "link",
    {
        {"net_namespace", or_null(&LinkName::net_namespace), "its number"},
        {"index", or_null(&LinkName::index)},
        {"interface", or_null(&LinkName::name)},
        {"master", or_null(&LinkName::master), "the bond or bridge that it is in; null: none, or not known"},
        {"mtu", or_null(&LinkName::mtu)},
    }};

const DiagShape<model::LinkRetransmits> kLinkRetransmits{
    "link_retransmits",
    {
        {kLink, &model::LinkRetransmits::link},
        {"count", &model::LinkRetransmits::count, "segments", kSome},
        {"bytes", &model::LinkRetransmits::bytes},
    }};

const DiagShape<model::RetransmitWindow> kWindow{
    "window",
    {
        {"from_ns", &model::RetransmitWindow::from},
        {"count", &model::RetransmitWindow::count, "segments sent again"},
        {"interface", [](auto& w) { return OrNull{w.most.name}; }, "with most of them"},
        {"through_interface", [](auto& w) { return w.most.name.empty() ? 0 : w.of_most; }, "how many went through it"},
    }};

const DiagShape<NodeStudy> kWindows{
    "windows",
    {
        {"window_ns", &NodeStudy::window, "the length of each"},
        {"listed", kWindow, &NodeStudy::windows, "one after the other; empty where nothing was sent again", kListed},
    }};

const DiagShape<model::MtuMismatch> kMismatch{
    "mismatch",
    {
        {kLink, &model::MtuMismatch::link},
        {"other_mtu", or_null(&model::MtuMismatch::other_mtu), "of the other end, or of the path"},
        {"other_interface", or_null(&model::MtuMismatch::other_end), "null: the MTU is the path's, by ICMP"},
        {"large", &model::MtuMismatch::large, "segments sent again that are too large for the other MTU", kSome},
        {"count", &model::MtuMismatch::count, "segments sent again", kSome},
    }};

using model::PeerRtt;
const DiagShape<PeerRtt> kRoundTrip{
    "round_trip",
    {
        {"address", &PeerRtt::address},
        {"handshakes", &PeerRtt::handshakes, "that were timed"},
        {"handshake_least_ns", [](auto& r) { return when(r.handshakes != 0, r.handshake_least); }},
        {"handshake_mean_ns", [](auto& r) { return mean_or_null(r.handshake_sum, r.handshakes); }},
        {"handshake_most_ns", [](auto& r) { return when(r.handshakes != 0, r.handshake_most); }},
        {"readings", &PeerRtt::readings, "of the kernel's smoothed time"},
        {"smoothed_mean_ns", [](auto& r) { return mean_or_null(r.smoothed_sum, r.readings); }},
        {"smoothed_most_ns", [](auto& r) { return when(r.readings != 0, r.smoothed_most); }},
        {"rise_at_ns", &PeerRtt::rise, "when the greatest rise of the mean was"},
        {"before_ns", [](auto& r) { return when(r.before.count() > 0, r.before); }, "the mean before it"},
        {"after_ns", [](auto& r) { return when(r.before.count() > 0, r.after); }, "the mean after it"},
    }};

const DiagShape<model::DroppedPackets> kDropped{
    "dropped",
    {
        {"reason", &model::DroppedPackets::reason, "the kernel's name of it, or its number", {.least_length = 1}},
        {"to", or_null(&model::DroppedPackets::to), "the destination in the packets' headers"},
        {"count", &model::DroppedPackets::count, "packets", kSome},
        {"first_ns", &model::DroppedPackets::first, "the second with the first of them"},
        {"most", &model::DroppedPackets::most, "in one second", kSome},
    }};

const DiagShape<NodeStudy> kDrops{
    "drops",
    {
        {"count", &NodeStudy::drop_count, "packets"},
        {"listed", kDropped, &NodeStudy::drops, "by reason and destination, most first", kListed},
    }};

const DiagShape<NodeStudy> kTcp{
    "tcp",
    {
        {"connect_failures", kFailures,
         [](auto& s) {
           return when(s.has_connects, Peers{s.connect_count, s.connect_failures});
         }},
        {"retransmits", kRetransmits,
         [](auto& s) {
           return when(s.has_retransmits, Peers{s.retransmit_count, s.retransmits});
         }},
        {"resets_received", kResets,
         [](auto& s) {
           return when(s.has_resets, Peers{s.resets_received_count, s.resets_received});
         }},
        {"resets_sent", kResets,
         [](auto& s) {
           return when(s.has_resets, Peers{s.resets_sent_count, s.resets_sent});
         }},
        {"retransmit_links", kLinkRetransmits, [](auto& s) { return where(s.has_retransmits, s.retransmit_links); },
         "by interface, most first", kListed},
        {"retransmit_windows", kWindows, [](auto& s) { return where(s.has_retransmits, s); },
         "segments sent again, in time"},
        {"mtu_mismatches", kMismatch, [](auto& s) { return where(s.has_retransmits, s.mtu_mismatches); },
         "segments sent again because, it seems, they are larger than the path takes", kListed},
        {"round_trips", kRoundTrip, &NodeStudy::rtts, "by address, most readings first", kListed},
    }};

using model::SlowDisk;
const DiagShape<SlowDisk> kDisk{
    "disk",
    {
        {"device",
         [](auto& d) { return std::to_string(d.device >> 20) + ":" + std::to_string(d.device & 0xfffff); },
         "major:minor",
         {.pattern = "^[0-9]+:[0-9]+$"}},
        {"count", &SlowDisk::count, "I/Os", kSome},
        {"bytes", &SlowDisk::bytes},
        {"mean_ns", [](auto& d) { return Duration{mean(d.sum, d.count)}; },
         "from when an I/O began to when it was done"},
        {"most_ns", &SlowDisk::most},
        {"comm", or_null(&SlowDisk::name), "who asked for most"},
    }};

const DiagShape<NodeStudy> kSlowIo{
    "slow_io", {{"count", &NodeStudy::slow_io_count}, {"disks", kDisk, &NodeStudy::disks, "most time first", kListed}}};

const DiagShape<NodeStudy> kDiag{
    "diag",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"host", [](auto& s) { return OrNull{s.preamble.host}; }},
        {"cpus", [](auto& s) { return s.preamble.cpus; }},
        {"from_ns", &NodeStudy::begin, "since 1970"},
        {"to_ns", &NodeStudy::end, "since 1970"},
        {"duration_ns", &NodeStudy::duration},
        {"everybody", &NodeStudy::everybody, "the whole machine; otherwise of the recorded processes"},
        {"complete", [](auto& s) { return !s.damaged; },
         "false: events were lost or the capture is damaged or cut short, every count is a lower bound"},
        {"lost", &NodeStudy::lost, "events"},
        {"findings", kFinding, [](auto& s) { return node_findings(s); }, "the worst first"},
        {"not_recorded", [](auto& s) { return not_recorded(s); }, "in words; the parts are null"},
        {"processes", kProcesses, [](auto& s) { return where(s.has_processes, s); }},
        {"memory", kMemory, Refer{[](auto& s) { return &s; }}},
        {"tcp", kTcp, Refer{[](auto& s) { return &s; }}},
        {"drops", kDrops, [](auto& s) { return where(s.has_drops, s); },
         "packets that the kernel dropped, of the whole machine"},
        {"slow_io", kSlowIo, [](auto& s) { return where(s.has_disks, s); },
         "those that took as long as --slow-io says, 10 ms"},
    }};

}  // namespace
}  // namespace of_diag

std::string diag_json(const model::NodeStudy& study) {
  return json_of(of_diag::kDiag, study, of_diag::DiagContext{{study}});
}

std::string diag_schema() {
  return json_schema(
      of_diag::kDiag, "tailcap diag --json",
      "What is wrong with a machine. null: not recorded, or not known; never none. JSON.md says what the names mean.");
}

}  // namespace tailcap::report
