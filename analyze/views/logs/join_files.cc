#include "analyze/views/logs/join_files.h"

#include <algorithm>
#include <stdexcept>

#include "analyze/logs/files.h"
#include "analyze/logs/reader.h"
#include "analyze/report/words/number.h"
#include "analyze/views/logs/log_join.h"
#include "formats/bounds/process_bounds.h"

namespace tailcap::views {
namespace {

constexpr formats::Duration kForEachLogByte{200};  // of processor time

}  // namespace

model::LogBook log_book(const LogFiles& files, const model::RequestTable& table, const model::Study& study,
                        const std::function<bool(model::ExchangeId)>& wanted) {
  model::LogBook out;
  std::size_t bytes = 0;
  const LogCounts counts =
      join_logs(files, table, study, [&](const model::JoinedLine& joined, const std::string& file) {
        if (std::ranges::none_of(joined.requests, wanted)) return;
        const std::size_t more = sizeof(model::LogBook::Entry) + joined.line.text.size() + file.size();
        if (out.entries.size() == model::LogBook::kMostLines || bytes + more > model::LogBook::kMostBytes) {
          ++out.left_out;
          return;
        }
        bytes += more;
        out.entries.push_back({joined, file});
        out.entries.back().joined.line.whole.clear();
      });
  std::ranges::stable_sort(out.entries, {}, [](const auto& e) { return e.joined.at; });
  out.said = sentences_of(counts);
  return out;
}

LogCounts join_logs(const LogFiles& files, const model::RequestTable& table, const model::Study& study,
                    const TakeLine& take) {
  const model::WallClock& clock = study.quality.clock;
  if (!clock.known())
    throw std::runtime_error("lines of logs cannot be joined: the capture holds no reading of the wall clock");
  const LogJoin join(table, clock, study.quality.file.first, study.quality.file.last,
                     study.quality.clock_error + model::WallClock::kStep);
  const logs::ReadOptions options{files.zone, files.time_form ? &*files.time_form : nullptr,
                                  clock.realtime(study.quality.file.first)};
  LogCounts out;
  std::uint64_t bytes = 0;
  std::uint32_t number = 0;
  for (const logs::NamedFile& file : logs::files_of(files.patterns)) {
    const logs::FileText content = logs::text_of(
        file.path, static_cast<std::size_t>(std::min<std::uint64_t>(logs::kMostBytes, logs::kMostBytesOfAll - bytes)));
    bytes += content.text.size();
    out.bytes_left_out += content.left_out;
    ++out.files;
    formats::allow_more_processor(kForEachLogByte * static_cast<std::int64_t>(content.text.size()));
    logs::LogReader reader(content.text, options);
    model::LoggedLine line;
    while (reader.next(line)) {
      if (out.lines == kMostLogLines) {
        ++out.lines_left_out;
        break;
      }
      ++out.lines;
      line.file = number;
      if (line.container.empty() && join.knows_container(file.container)) line.container = file.container;
      const model::JoinedLine joined = join.join(std::move(line), file.service);
      if (joined.joined())
        ++out.joined;
      else if (joined.count > 1)
        ++out.in_several;
      else
        ++out.misses[static_cast<std::size_t>(joined.miss)];
      take(joined, file.path);
    }
    out.cut += reader.cut();
    ++number;
  }
  return out;
}

std::vector<std::string> sentences_of(const LogCounts& c) {
  using report::count_text;
  const std::string lines = count_text(c.lines, "line", "lines");
  std::string first = lines + " of " + count_text(c.files, "log file", "log files") + ": " + count_text(c.joined) +
                      " joined with a request, " + count_text(c.in_several) + " in several requests' time";
  std::vector<std::pair<std::uint64_t, model::LogMiss>> misses;
  for (std::size_t i = 1; i < c.misses.size(); ++i)
    if (c.misses[i] > 0) misses.emplace_back(c.misses[i], static_cast<model::LogMiss>(i));
  std::ranges::stable_sort(misses, std::greater{}, &std::pair<std::uint64_t, model::LogMiss>::first);
  if (misses.empty()) first += ", none unmatched";
  for (const auto& [count, miss] : misses)
    first += ", " + count_text(count) + " unmatched with " + std::string(model::text_of(miss));
  std::vector<std::string> out = {first + "."};
  if (c.cut > 0)
    out.push_back(count_text(c.cut, "line is", "lines are") + " longer than 16 KiB; the rest of them is left out.");
  if (c.bytes_left_out > 0)
    out.push_back(report::bytes_text(c.bytes_left_out) +
                  " of log files were not read: at most 256 MiB of a file, and 1 GiB of all, are.");
  if (c.lines_left_out > 0)
    out.push_back("Further lines were not read: at most " + count_text(kMostLogLines) + " are.");
  return out;
}

}  // namespace tailcap::views
