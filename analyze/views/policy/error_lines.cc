#include "analyze/views/policy/error_lines.h"

#include <algorithm>
#include <map>

namespace tailcap::policy {

ErrorLines error_lines_of(const views::LogFiles& files, const model::RequestTable& table, const model::Study& study) {
  ErrorLines out;
  std::map<model::ExchangeId, std::uint32_t> rows;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) rows.emplace(table.rows.id(i), i);
  out.counts = views::join_logs(files, table, study, [&](const model::JoinedLine& joined, const std::string&) {
    if (joined.line.level != model::LogLevel::error && joined.line.level != model::LogLevel::fatal) return;
    if (!formats::known(joined.at)) {
      ++out.without_time;
      return;
    }
    ErrorLine line{joined.at, {}};
    if (joined.joined())
      if (const auto row = rows.find(joined.requests.front()); row != rows.end()) line.row = row->second;
    out.lines.push_back(line);
  });
  std::ranges::stable_sort(out.lines, {}, &ErrorLine::at);
  return out;
}

}  // namespace tailcap::policy
