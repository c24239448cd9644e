#include <algorithm>

#include "analyze/report/escape.h"
#include "analyze/report/masking.h"
#include "analyze/report/number.h"
#include "analyze/report/show.h"
#include "analyze/report/table.h"
#include "analyze/report/waterfall.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kName = 26, kLongName = 44;  // room for the names of bars
constexpr std::size_t kWaits = 30;

std::string heading(std::string_view title) { return "\n" + std::string(title) + "\n"; }

// A stretch of a bar `width` columns wide that stands for `span`; never nothing, never outside.
std::string placed(Duration from, Duration length, Duration span, std::size_t width) {
  if (span.count() <= 0 || width == 0) return {};
  const double scale = static_cast<double>(width) / static_cast<double>(span.count());
  const auto column = [&](Duration d) {
    return std::clamp(static_cast<double>(d.count()) * scale, 0.0, static_cast<double>(width));
  };
  const auto first = std::min(static_cast<std::size_t>(column(from)), width - 1);
  const auto last = static_cast<std::size_t>(column(from + length) + 0.5);
  std::string text(first, ' ');
  if (last <= first) return text + "▏";
  for (std::size_t i = first; i < std::min(last, width); ++i) text += "█";
  return text;
}

std::string lanes(const Waterfall& w, std::size_t width) {
  if (w.lanes.empty()) return heading("No waterfall: " + w.no_lanes);
  std::size_t names = kName;
  for (const auto& lane : w.lanes)
    for (const std::size_t i : lane.listed) names = std::clamp(lane.bars[i].name.size(), names, kLongName);
  const std::size_t bars = width > names + 44 ? width - names - 32 : 16;
  std::string out;
  for (const auto& lane : w.lanes) {
    out += heading(lane.title);
    Table table({{Align::left, names}, {Align::right, 12}, {Align::right, 9}, {}}, "  ");
    table.row({"", "from", "for", ""});
    for (const std::size_t i : lane.listed) {
      const auto& bar = lane.bars[i];
      table.row({bar.name, place_text(bar.from, w.span), duration_text(bar.length),
                 placed(bar.from, bar.length, w.span, bars)});
      if (!bar.note.empty()) table.line("  " + shortened(bar.note, width > 40 ? width - 8 : 32));
    }
    if (!lane.others.empty()) table.line("and " + lane.others);
    out += table.text();
  }
  return out;
}

std::string milestones(const Waterfall& w) {
  if (w.milestones.empty()) return {};
  Table table({{Align::right, 12}, {}, {}}, "  ");
  for (const auto& m : w.milestones) table.row({place_text(m.at, w.span), m.end, m.what});
  return heading("Milestones") + table.text();
}

std::string messages(const Waterfall& w) {
  if (w.messages.listed.empty()) return {};
  Table table({{}, {Align::right}, {}, {}}, "  ");
  table.row({"", "size", "client", "server"});
  for (const auto& m : w.messages.listed)
    table.row(
        {m.name, m.size, m.client.empty() ? "not recorded" : m.client, m.server.empty() ? "not recorded" : m.server});
  if (!w.messages.others.empty()) table.line("and " + w.messages.others);
  return heading("Messages") + table.text();
}

std::string files(const Waterfall& w) {
  if (w.files.empty() && w.files_notes.empty()) return {};
  Table table({{Align::right, 12}, {Align::right, 9}, {}, {}}, "  ");
  if (!w.files.empty()) table.row({"from", "for", "", ""});
  for (const auto& f : w.files) table.row({place_text(f.from, w.span), duration_text(f.length), f.end, f.what});
  for (const auto& note : w.files_notes) table.line(note);
  return heading("Files") + table.text();
}

std::string waits(const Waterfall& w, std::size_t width) {
  if (w.waits.empty()) return {};
  Table table({{Align::right, 12}, {Align::right, 9}, {Align::right, 9}, {}}, "  ");
  table.row({"left the CPU", "waited", "queued", "for"});
  for (std::size_t i = 0; i < w.waits.size() && i < kWaits; ++i) {
    const auto& wait = w.waits[i];
    std::string what = wait.what + (wait.woken_by.empty() ? "" : "; woken by " + wait.woken_by);
    if (wait.missed != 0) what += "; " + count_text(wait.missed) + " before it lost";
    table.row({place_text(wait.left, w.span), duration_text(wait.waited),
               wait.runnable_known ? duration_text(wait.queued) : "?", shortened(what, width > 60 ? width - 42 : 40)});
  }
  const std::uint64_t more = w.waits_left_out + (w.waits.size() > kWaits ? w.waits.size() - kWaits : 0);
  if (more != 0) table.line("and " + count_text(more) + " more");
  return heading("Off the CPU: waited for something, then queued for a CPU") + table.text();
}

}  // namespace

std::string text_show(const flow::Detail& detail, const flow::Study& study, const ReportOptions& options) {
  const Waterfall w = waterfall(detail, study);
  const std::size_t width = std::clamp<std::size_t>(options.width, 60, 1000);
  std::string out =
      wrapped("", "Request " + id_text(detail.request.row.id) + " of " + printable(options.file) + ": " + w.title,
              width) +
      "\n";
  if (unsafe(study.quality))
    out += wrapped("!! ", "UNSAFE: header values were recorded as sent, credentials too. Do not pass this on.", width);
  for (const auto& fact : w.facts)
    out += wrapped(std::string(fact.tone == Tone::plain  ? "   "
                               : fact.tone == Tone::care ? " ! "
                                                         : "!! ") +
                       padded(fact.label, 12),
                   fact.text, width);
  out += lanes(w, width);
  if (!w.beside.empty()) {
    out += heading("Beside the critical path");
    for (const auto& line : w.beside) out += wrapped("  ", line, width);
  }
  out += milestones(w) + messages(w) + files(w) + waits(w, width);
  if (!w.events.empty()) {
    out += heading("On the connection meanwhile");
    for (const auto& e : w.events) out += wrapped("  ", e, width);
  }
  for (const auto& head : w.heads) {
    if (head.lines.empty()) continue;
    out += heading(head.title + (head.complete ? "" : " (fields may be missing)"));
    for (const auto& line : head.lines) out += wrapped("  ", line, width);
  }
  return out;
}

}  // namespace tailcap::report
