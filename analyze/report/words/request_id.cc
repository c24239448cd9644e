#include "analyze/report/words/request_id.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
std::string request_anchor(model::ExchangeId id) { return "request-" + id_text(id); }

bool shown_in_time(const ReportOptions& options, model::ExchangeId id) {
  return std::ranges::find(options.in_time, id) != options.in_time.end();
}

std::string show_command(const ReportOptions& options, model::ExchangeId id) {
  return "tailcap show " + shell_word(options.file) + " " + id_text(id);
}

render::Cell id_cell(const ReportOptions& options, model::ExchangeId id) {
  render::Cell cell(id_text(id));
  if (shown_in_time(options, id))
    cell.link = request_anchor(id);
  else if (options.page)
    cell.command = show_command(options, id);
  return cell;
}

}  // namespace tailcap::report
