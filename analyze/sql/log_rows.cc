#include "analyze/sql/log_rows.h"

#include <algorithm>

#include "analyze/sql/request_rows.h"

namespace tailcap::sql {
namespace {

constexpr std::size_t kMostAmong = 16;

}  // namespace

void LogRows::add(const model::JoinedLine& joined, const std::string& file) {
  const model::LoggedLine& line = joined.line;
  const bool timed = line.time.state != model::LogTime::State::none;
  const bool known = line.time.state == model::LogTime::State::known;
  const std::string request = joined.joined() ? id_text(joined.requests.front()) : "";
  std::string among;
  if (joined.count > 1)
    for (std::size_t i = 0; i < std::min(joined.requests.size(), kMostAmong); ++i)
      among += (i == 0 ? "" : " ") + id_text(joined.requests[i]);
  row_.time(joined.at);
  row_.integer_if(known, line.time.at - line.time.late);
  row_.integer_if(timed, line.time.late + line.time.precision);
  row_.text(file);
  row_.integer(static_cast<std::int64_t>(line.number));
  row_.text_or_null(model::name_of(line.level));
  row_.text(line.text);
  row_.text(line.whole.empty() ? line.text : line.whole);
  row_.text_or_null(request);
  row_.integer(static_cast<std::int64_t>(joined.count));
  row_.text_or_null(among);
  row_.text_or_null(model::name_of(joined.evidence));
  row_.text_or_null(model::name_of(joined.miss));
  row_.text_or_null(line.trace_id);
  row_.text_or_null(line.request_id);
  row_.integer_if(line.pid != 0, line.pid);
  row_.end_row();
}

}  // namespace tailcap::sql
