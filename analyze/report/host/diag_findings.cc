#include <algorithm>
#include <cstdio>

#include "analyze/report/host/diag.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

// Fewer are nothing to speak of.
constexpr std::uint64_t kShortFew = 10;
constexpr std::uint64_t kRetransmitsFew = 10;
// Times as much as in the window before.
constexpr double kSurge = 3;
// Below that, a round trip that takes several times as long is still short.
constexpr formats::Duration kRttSlow{1'000'000};

std::string times_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string link_text(const model::LinkName& link) {
  return printable(link.name) + (link.master.empty() ? "" : " (of " + printable(link.master) + ")");
}

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
    link_share();
    surge();
    mtu();
    rtt();
    drops();
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

  // Where most segments were sent again through one interface.
  void link_share() {
    if (s_.retransmit_links.empty() || s_.retransmit_count < kRetransmitsFew) return;
    const auto& most = s_.retransmit_links.front();
    if (most.link.name.empty() || 2 * most.count <= s_.retransmit_count) return;
    add("retransmits_link", most.count,
        share_text(static_cast<double>(most.count), static_cast<double>(s_.retransmit_count)) +
            " of the segments that TCP sent again went through " + link_text(most.link) + ": " +
            count_text(most.count) + " of " + count_text(s_.retransmit_count) + ".");
  }

  void surge() {
    const model::RetransmitWindow* rise = nullptr;
    double factor = 0;
    std::uint64_t before = 0;
    for (std::size_t i = 1; i < s_.windows.size(); ++i) {
      const auto& now = s_.windows[i];
      const std::uint64_t last = s_.windows[i - 1].count;
      if (now.count < kRetransmitsFew) continue;
      const double times = static_cast<double>(now.count) / static_cast<double>(std::max<std::uint64_t>(last, 1));
      if (times < kSurge || times <= factor) continue;
      rise = &now;
      factor = times;
      before = last;
    }
    if (!rise) return;
    add("retransmits_surge", rise->count,
        "Retransmissions surged: " + count_text(rise->count) + " segments in the " + duration_text(s_.window) +
            " from " + offset_text(rise->from, s_.begin) +
            (before == 0 ? ", none before" : ", " + times_text(factor) + " times as many as before") +
            (rise->most.name.empty()
                 ? ""
                 : "; " + count_text(rise->of_most) + " of them through " + printable(rise->most.name)) +
            ".");
  }

  void mtu() {
    for (const auto& m : s_.mtu_mismatches)
      add("mtu_mismatch", m.large,
          "MTU mismatch suspected at " + link_text(m.link) + ": its MTU is " + count_text(m.link.mtu) + ", that of " +
              (m.other_end.empty() ? "the path" : "its other end, " + printable(m.other_end) + ",") + " " +
              count_text(m.other_mtu) + "; " + count_text(m.large) + " of " + count_text(m.count) +
              (m.other_end.empty() ? " segments sent again are of connections with ICMP reports of that MTU."
                                   : " segments sent again went in packets larger than that."));
  }

  void rtt() {
    const model::PeerRtt* worst = nullptr;
    double factor = kSurge;
    for (const auto& r : s_.rtts) {
      if (r.before.count() <= 0 || r.after < kRttSlow) continue;
      const double times = static_cast<double>(r.after.count()) / static_cast<double>(r.before.count());
      if (times < factor) continue;
      worst = &r;
      factor = times;
    }
    if (!worst) return;
    add("rtt_rise", worst->readings,
        "The round-trip time to " + printable(worst->address) + " rose from " + duration_text(worst->before) + " to " +
            duration_text(worst->after) + " in the " + duration_text(model::NodeStudy::kRttWindow) + " from " +
            offset_text(worst->rise, s_.begin) + ".");
  }

  void drops() {
    if (s_.drop_count == 0) return;
    const auto& most = s_.drops.front();
    add("drops", s_.drop_count,
        "The kernel dropped " + count_text(s_.drop_count, "packet", "packets") + ", " + count_text(most.count) +
            " of them" + (most.to.empty() ? "" : " to " + printable(most.to)) + " because of " +
            printable(most.reason) + ".");
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
  add(s.has_drops, "dropped packets");
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
  add(s.has_drops, s.drop_count, "dropped packets");
  return out;
}

}  // namespace tailcap::report
