#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/report/host/diag.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;
using Kind = render::Column::Kind;

constexpr std::size_t kRows = 15;

std::string name_or_unknown(const std::string& name) { return name.empty() ? "?" : printable(name); }
std::string process_cell(const std::string& name, std::uint32_t pid) {
  return name_or_unknown(name) + (pid == 0 ? "" : ", process " + pid_text(pid));
}
std::string device_of(std::uint32_t device) {
  return std::to_string(device >> 20) + ":" + std::to_string(device & 0xfffff);
}
Duration mean(Duration sum, std::uint64_t count) {
  return Duration{count == 0 ? 0 : sum.count() / static_cast<std::int64_t>(count)};
}

// The first kRows of a list as a table; nothing if it is empty.
template <class List, class Cells>
void add(Document& out, std::string_view title, std::vector<Column> columns, const List& list, Cells cells) {
  if (list.empty()) return;
  Table table;
  table.columns = std::move(columns);
  for (std::size_t i = 0; i < std::min(kRows, list.size()); ++i) table.rows.push_back({cells(list[i])});
  out.heading(2, std::string(title));
  out.add(std::move(table));
  if (list.size() > kRows) out.note("and " + count_text(list.size() - kRows) + " more; --json has them");
}

void add_short_lived(Document& out, const model::NodeStudy& s) {
  add(out, "Processes that lived for less than a second",
      {{"count"}, {"failed"}, {"mean life"}, {"longest"}, {"command", Kind::name}, {"started by", Kind::name}},
      s.short_lived, [](const auto& p) -> std::vector<Cell> {
        return {count_text(p.count),
                count_text(p.failed),
                duration_text(mean(p.sum, p.count)),
                duration_text(p.most),
                shortened(printable(p.command), 60) + (p.executed ? "" : " (executed nothing)"),
                p.parent == 0 ? "?" : process_cell(p.parent_name, p.parent)};
      });
}

void add_memory_waits(Document& out, const model::MemoryWaits& waits, std::string_view title) {
  add(out, title, {{"count"}, {"time"}, {"process", Kind::name}}, waits.processes,
      [](const auto& p) -> std::vector<Cell> {
        return {count_text(p.count), duration_text(p.sum), process_cell(p.name, p.pid)};
      });
}

void add_peers(Document& out, const std::vector<model::PeerTrouble>& list, std::string_view title) {
  add(out, title, {{"count"}, {"peer", Kind::name}, {"what", Kind::name}}, list,
      [](const model::PeerTrouble& p) -> std::vector<Cell> {
        std::string what = p.cause;
        if (p.bytes != 0) what += bytes_text(p.bytes);
        if (p.pid != 0) what += ", " + process_cell(p.name, p.pid);
        return {count_text(p.count), printable(p.address), what};
      });
}

std::string link_of(const model::LinkName& link) {
  if (link.index == 0) return "not known";
  if (link.name.empty()) return "interface " + std::to_string(link.index);
  return printable(link.name) + (link.master.empty() ? "" : " of " + printable(link.master));
}

void add_links(Document& out, const model::NodeStudy& s) {
  const auto& links = s.retransmit_links;
  if (links.size() == 1 && links.front().link.index == 0) return;  // no interface is known
  add(out, "TCP segments sent again, by interface",
      {{"count"}, {"share"}, {"interface", Kind::name}, {"MTU"}, {"network namespace"}, {"bytes"}}, links,
      [&](const model::LinkRetransmits& r) -> std::vector<Cell> {
        return {count_text(r.count),
                share_text(static_cast<double>(r.count), static_cast<double>(s.retransmit_count)),
                link_of(r.link),
                r.link.mtu == 0 ? "" : count_text(r.link.mtu),
                r.link.net_namespace == 0 ? "" : std::to_string(r.link.net_namespace),
                bytes_text(r.bytes)};
      });
}

void add_rtts(Document& out, const model::NodeStudy& s) {
  add(out, "Round-trip times",
      {{"address", Kind::name}, {"handshakes"}, {"mean"}, {"longest"}, {"readings"}, {"mean"}, {"longest"}}, s.rtts,
      [](const model::PeerRtt& r) -> std::vector<Cell> {
        const auto text = [](std::uint64_t count, formats::Duration value) {
          return count == 0 ? std::string() : duration_text(value);
        };
        return {printable(r.address),
                count_text(r.handshakes),
                text(r.handshakes, r.handshakes == 0 ? formats::Duration{} : mean(r.handshake_sum, r.handshakes)),
                text(r.handshakes, r.handshake_most),
                count_text(r.readings),
                text(r.readings, r.readings == 0 ? formats::Duration{} : mean(r.smoothed_sum, r.readings)),
                text(r.readings, r.smoothed_most)};
      });
}

void add_dropped(Document& out, const model::NodeStudy& s) {
  add(out, "Packets that the kernel dropped",
      {{"count"}, {"most a second"}, {"reason", Kind::name}, {"to", Kind::name}, {"first"}}, s.drops,
      [&](const model::DroppedPackets& d) -> std::vector<Cell> {
        return {count_text(d.count), count_text(d.most), printable(d.reason), d.to.empty() ? "?" : printable(d.to),
                d.first > s.begin ? offset_text(d.first, s.begin) : ""};
      });
}

void add_disks(Document& out, const model::NodeStudy& s) {
  add(out, "Slow I/Os, by disk",
      {{"disk", Kind::word}, {"slow I/Os"}, {"mean"}, {"longest"}, {"bytes"}, {"most by", Kind::name}}, s.disks,
      [](const auto& d) -> std::vector<Cell> {
        return {device_of(d.device),   count_text(d.count), duration_text(mean(d.sum, d.count)),
                duration_text(d.most), bytes_text(d.bytes), name_or_unknown(d.name)};
      });
}

void add_fragments(Document& out, const model::NodeStudy& s) {
  if (s.fragments == 0) return;
  Table table;
  table.columns = {{"count"}, {"memory wanted", Kind::name}};
  for (const auto& [order, count] : s.fragment_orders)
    table.rows.push_back({{count_text(count), bytes_text(std::uint64_t{4096} << std::min<std::uint64_t>(order, 40)) +
                                                  " (order " + std::to_string(order) + ")"}});
  out.heading(2, "Page blocks broken up");
  out.add(std::move(table));
}

void add_killed(Document& out, const model::NodeStudy& s) {
  if (s.oom.empty()) return;
  Table table;
  table.columns = {{"at"}, {"process", Kind::name}};
  for (const auto& v : s.oom)
    table.rows.push_back({{offset_text(v.time, s.begin), name_or_unknown(v.name) + ", process " + pid_text(v.pid)}});
  out.heading(2, "Killed for memory");
  out.add(std::move(table));
}

}  // namespace

std::string diag_text(const model::NodeStudy& s, const std::string& file, std::size_t width) {
  Document out;
  out.heading(1, printable(file) + ": " + duration_text(s.duration()) + " of " +
                     (s.everybody ? "the whole machine" : "the recorded processes only") + ", " +
                     (s.preamble.host.empty() ? "host not known" : printable(s.preamble.host)) + ", " +
                     count_text(s.preamble.cpus, "CPU", "CPUs"));
  out.heading(2, "Host problems");
  const auto findings = node_findings(s);
  if (findings.empty()) out.paragraph("Nothing of what was recorded is out of the ordinary.");
  for (const auto& f : findings) out.paragraph(f.text, Tone::care);
  render::Facts facts;
  if (const auto words = not_seen(s); !words.empty())
    facts.lines.push_back({Tone::plain, "not seen", ground::joined(words)});
  if (const auto words = not_recorded(s); !words.empty())
    facts.lines.push_back({Tone::plain, "not recorded", ground::joined(words)});
  if (!facts.lines.empty()) out.add(std::move(facts));
  if (s.lost != 0)
    out.paragraph("At least " + count_text(s.lost) + " events were lost: every count here is a lower bound.",
                  Tone::alarm);
  else if (s.damaged)
    out.paragraph("The capture is damaged or cut short: every count here is a lower bound.", Tone::alarm);
  add_short_lived(out, s);
  add_killed(out, s);
  if (s.reclaim.count != 0) add_memory_waits(out, s.reclaim, "Reclaimed memory themselves");
  if (s.compaction.count != 0) add_memory_waits(out, s.compaction, "Compacted memory themselves");
  add_fragments(out, s);
  add_peers(out, s.connect_failures, "Connections that could not be made");
  add_peers(out, s.retransmits, "TCP segments sent again");
  add_links(out, s);
  add_rtts(out, s);
  add_dropped(out, s);
  add_peers(out, s.resets_received, "TCP resets received");
  add_peers(out, s.resets_sent, "TCP resets sent");
  add_disks(out, s);
  return render::to_text(out, width);
}

}  // namespace tailcap::report
