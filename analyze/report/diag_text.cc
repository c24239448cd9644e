#include <algorithm>

#include "analyze/report/diag.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/table.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kRows = 15;

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string heading(std::string_view title) { return "\n" + std::string(title) + "\n"; }
std::string name_of(const std::string& name) { return name.empty() ? "?" : printable(name); }
std::string device_of(std::uint32_t device) {
  return std::to_string(device >> 20) + ":" + std::to_string(device & 0xfffff);
}
Duration mean(Duration sum, std::uint64_t count) {
  return Duration{count == 0 ? 0 : sum.count() / static_cast<std::int64_t>(count)};
}

template <class List>
void rest(const List& list, Table& table) {
  if (list.size() > kRows) table.line("and " + count_text(list.size() - kRows) + " more; --json has them");
}

std::string short_lived(const flow::NodeStudy& s) {
  if (s.short_lived.empty()) return {};
  Table table({{Align::right}, {Align::right}, {Align::right}, {Align::right}, {}, {}}, "  ");
  table.row({"count", "failed", "mean life", "longest", "command", "started by"});
  for (std::size_t i = 0; i < std::min(kRows, s.short_lived.size()); ++i) {
    const auto& p = s.short_lived[i];
    table.row({count_text(p.count), count_text(p.failed), duration_text(mean(p.sum, p.count)), duration_text(p.most),
               shortened(printable(p.command), 60) + (p.executed ? "" : " (executed nothing)"),
               p.parent == 0 ? "?" : name_of(p.parent_name) + ", process " + pid_text(p.parent)});
  }
  rest(s.short_lived, table);
  return heading("Processes that lived for less than a second") + table.text();
}

std::string held(const flow::MemoryWaits& held, std::string_view title) {
  if (held.count == 0) return {};
  Table table({{Align::right}, {Align::right}, {}}, "  ");
  table.row({"count", "time", "process"});
  for (std::size_t i = 0; i < std::min(kRows, held.processes.size()); ++i) {
    const auto& p = held.processes[i];
    table.row({count_text(p.count), duration_text(p.sum),
               name_of(p.name) + (p.pid == 0 ? "" : ", process " + pid_text(p.pid))});
  }
  rest(held.processes, table);
  return heading(title) + table.text();
}

std::string peers(const std::vector<flow::PeerTrouble>& list, std::string_view title) {
  if (list.empty()) return {};
  Table table({{Align::right}, {}, {}}, "  ");
  for (std::size_t i = 0; i < std::min(kRows, list.size()); ++i) {
    const auto& p = list[i];
    std::string what = p.cause;
    if (p.bytes != 0) what += bytes_text(p.bytes);
    if (p.pid != 0) what += ", " + name_of(p.name) + ", process " + pid_text(p.pid);
    table.row({count_text(p.count), printable(p.address), what});
  }
  rest(list, table);
  return heading(title) + table.text();
}

std::string disks(const flow::NodeStudy& s) {
  if (s.disks.empty()) return {};
  Table table({{}, {Align::right}, {Align::right}, {Align::right}, {Align::right}, {}}, "  ");
  table.row({"disk", "slow I/Os", "mean", "longest", "bytes", "most by"});
  for (std::size_t i = 0; i < std::min(kRows, s.disks.size()); ++i) {
    const auto& d = s.disks[i];
    table.row({device_of(d.device), count_text(d.count), duration_text(mean(d.sum, d.count)), duration_text(d.most),
               bytes_text(d.bytes), name_of(d.name)});
  }
  rest(s.disks, table);
  return heading("Slow I/Os, by disk") + table.text();
}

std::string fragments(const flow::NodeStudy& s) {
  if (s.fragments == 0) return {};
  Table table({{Align::right}, {}}, "  ");
  for (const auto& [order, count] : s.fragment_orders)
    table.row({count_text(count), bytes_text(std::uint64_t{4096} << std::min<std::uint64_t>(order, 40)) +
                                      " wanted (order " + std::to_string(order) + ")"});
  return heading("Page blocks broken up") + table.text();
}

}  // namespace

std::string diag_text(const flow::NodeStudy& s, const std::string& file, std::size_t width) {
  std::string out = printable(file) + ": " + duration_text(s.duration()) + " of " +
                    (s.everybody ? "the whole machine" : "the recorded processes only") + ", " +
                    (s.preamble.host.empty() ? "host not known" : printable(s.preamble.host)) + ", " +
                    count_text(s.preamble.cpus, "CPU", "CPUs") + "\n";
  const auto findings = node_findings(s);
  if (findings.empty())
    out += "\nNothing of what was recorded is out of the ordinary.\n";
  else
    out += "\n";
  for (const auto& f : findings) out += wrapped(" ! ", f.text, width);
  if (const auto words = not_seen(s); !words.empty()) out += wrapped("   not seen:     ", joined(words), width);
  if (const auto words = not_recorded(s); !words.empty()) out += wrapped("   not recorded: ", joined(words), width);
  if (s.lost != 0)
    out += wrapped("!! ", "At least " + count_text(s.lost) + " events were lost: every count here is a least.", width);
  else if (s.damaged)
    out += wrapped("!! ", "The capture is damaged or cut short: every count here is a least.", width);
  out += short_lived(s);
  for (const auto& v : s.oom)
    out += (&v == &s.oom.front() ? heading("Killed for memory") : "") + "  " + offset_text(v.time, s.begin) + "  " +
           name_of(v.name) + ", process " + pid_text(v.pid) + "\n";
  out += held(s.reclaim, "Freed memory themselves") + held(s.compaction, "Moved memory to get it in one piece") +
         fragments(s);
  out += peers(s.connect_failures, "Connections that could not be made") +
         peers(s.retransmits, "TCP segments sent again") + peers(s.resets_received, "TCP resets received") +
         peers(s.resets_sent, "TCP resets sent");
  return out + disks(s);
}

}  // namespace tailcap::report
