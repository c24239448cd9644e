#include "analyze/report/host/diag.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

// Fewer are nothing to speak of.
constexpr std::uint64_t kShortFew = 10;

std::string process_text(const std::string& name, std::uint32_t pid) {
  if (pid == 0) return name.empty() ? "processes not known" : printable(name);
  return (name.empty() ? "process " : printable(name) + ", process ") + pid_text(pid);
}

std::string mostly(const model::MemoryWaits& held) {
  if (held.processes.empty()) return "";
  const auto& first = held.processes.front();
  return "; " + share_text(static_cast<double>(first.sum.count()), static_cast<double>(held.sum.count())) + " of it " +
         process_text(first.name, first.pid);
}

std::string others(std::uint64_t listed, std::uint64_t all, const char* one, const char* many) {
  return all > listed ? "; " + count_text(all - listed, one, many) : "";
}

class Findings {
 public:
  explicit Findings(const model::NodeStudy& study) : s_(study) {}

  std::vector<NodeFinding> all() {
    oom();
    connects();
    disks();
    held(s_.reclaim, "reclaim", "Memory was short: threads had to free some themselves ");
    held(s_.compaction, "compaction", "Memory in one piece was short: threads had to move some to get it ");
    short_lived();
    peers(s_.retransmits, s_.retransmit_count, "retransmits", "TCP sent again ", "segment", "segments", "to ");
    peers(s_.resets_received, s_.resets_received_count, "resets_received", "Peers reset ", "TCP connection",
          "TCP connections", "by ");
    peers(s_.resets_sent, s_.resets_sent_count, "resets_sent", "This machine reset ", "TCP connection",
          "TCP connections", "to ");
    fragments();
    return std::move(out_);
  }

 private:
  void add(std::string_view kind, std::uint64_t count, std::string text) {
    out_.push_back({kind, std::move(text), count});
  }
  std::string rate(std::uint64_t n) const {
    const double seconds = static_cast<double>(s_.duration().count()) / 1e9;
    return seconds > 0 ? rate_text(static_cast<double>(n) / seconds) : "";
  }

  void oom() {
    if (s_.oom_count == 0) return;
    const auto& first = s_.oom.front();
    add("oom_kill", s_.oom_count,
        "Memory ran out: the kernel killed " + process_text(first.name, first.pid) + ", " +
            offset_text(first.time, s_.begin) +
            (s_.oom_count == 1 ? "" : ", and " + count_text(s_.oom_count - 1) + " more") + ".");
  }

  void connects() {
    if (s_.connect_count == 0) return;
    const auto& most = s_.connect_failures.front();
    add("connect_failures", s_.connect_count,
        count_text(s_.connect_count, "connection", "connections") + " could not be made: " + printable(most.address) +
            " " + most.cause + " " + count_text(most.count, "time", "times") +
            (most.pid == 0 ? "" : " (" + process_text(most.name, most.pid) + ")") +
            others(most.count, s_.connect_count, "other", "others") + ".");
  }

  void disks() {
    for (const auto& d : s_.disks)
      add("slow_io", d.count,
          "Disk " + std::to_string(d.device >> 20) + ":" + std::to_string(d.device & 0xfffff) +
              " was slow: " + count_text(d.count, "I/O", "I/Os") + " over the limit of the recording, the longest " +
              duration_text(d.most) + ", " +
              duration_text(formats::Duration{d.sum.count() / static_cast<std::int64_t>(d.count)}) + " on average, " +
              bytes_text(d.bytes) + (d.name.empty() ? "" : "; most were asked for by " + printable(d.name)) + ".");
  }

  void held(const model::MemoryWaits& held, std::string_view kind, const char* what) {
    if (held.count == 0) return;
    add(kind, held.count,
        what + count_text(held.count, "time", "times") + ", " + duration_text(held.sum) + " in all, the longest " +
            duration_text(held.most) + mostly(held) + ".");
  }

  void short_lived() {
    if (s_.short_count < kShortFew) return;
    const auto& most = s_.short_lived.front();
    add("short_lived", s_.short_count,
        count_text(s_.short_count) + " processes lived for less than a second (" + rate(s_.short_count) +
            "): " + printable(most.command) + " " + count_text(most.count, "time", "times") + ", started by " +
            process_text(most.parent_name, most.parent) + others(most.count, s_.short_count, "other", "others") + ".");
  }

  void peers(const std::vector<model::PeerTrouble>& list, std::uint64_t count, std::string_view kind, const char* what,
             const char* one, const char* many, const char* to) {
    if (count == 0) return;
    const auto& most = list.front();
    add(kind, count,
        what + count_text(count, one, many) + ", " + count_text(most.count) + " of them " + to +
            printable(most.address) + ".");
  }

  void fragments() {
    if (s_.fragments == 0) return;
    add("fragmented", s_.fragments,
        "Memory is fragmenting: " + count_text(s_.fragments, "time", "times") +
            " a page block of another kind was broken up (" + rate(s_.fragments) + ").");
  }

  const model::NodeStudy& s_;
  std::vector<NodeFinding> out_;
};

}  // namespace

std::vector<NodeFinding> node_findings(const model::NodeStudy& study) { return Findings(study).all(); }

std::vector<std::string_view> not_recorded(const model::NodeStudy& s) {
  std::vector<std::string_view> out;
  const auto add = [&](bool recorded, std::string_view what) {
    if (!recorded) out.push_back(what);
  };
  add(s.has_processes, "processes that come and go");
  add(s.has_oom, "kills for memory");
  add(s.has_reclaim, "reclaim of memory");
  add(s.has_compaction, "compaction of memory");
  add(s.has_fragments, "fragmentation of memory");
  add(s.has_disks, "slow disks");
  add(s.has_connects, "failed connects");
  add(s.has_resets, "TCP resets");
  add(s.has_retransmits, "TCP retransmissions");
  return out;
}

std::vector<std::string_view> not_seen(const model::NodeStudy& s) {
  std::vector<std::string_view> out;
  const auto add = [&](bool recorded, std::uint64_t count, std::string_view what) {
    if (recorded && count == 0) out.push_back(what);
  };
  add(s.has_processes, s.short_count, "short-lived processes");
  add(s.has_oom, s.oom_count, "kills for memory");
  add(s.has_reclaim, s.reclaim.count, "reclaim by threads");
  add(s.has_compaction, s.compaction.count, "compaction by threads");
  add(s.has_fragments, s.fragments, "fragmentation of memory");
  add(s.has_disks, s.slow_io_count, "slow I/Os of disks");
  add(s.has_connects, s.connect_count, "failed connects");
  add(s.has_resets, s.resets_sent_count + s.resets_received_count, "TCP resets");
  add(s.has_retransmits, s.retransmit_count, "TCP retransmissions");
  return out;
}

}  // namespace tailcap::report
