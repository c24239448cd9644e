#include "analyze/report/words/request_id.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

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

std::set<model::ExchangeId> provisional_ids(std::string_view text) {
  std::set<model::ExchangeId> out;
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    std::size_t first = dot, last = dot + 1;
    while (first > 0 && is_digit(text[first - 1])) --first;
    while (last < text.size() && is_digit(text[last])) ++last;
    model::ConnectionId connection = 0;
    std::uint32_t index = 0;
    const auto whole = [&](std::size_t from, std::size_t to, std::uint32_t& number) {
      const auto [end, error] = std::from_chars(text.data() + from, text.data() + to, number);
      return error == std::errc{} && end == text.data() + to;
    };
    if (whole(dot + 1, last, index) && index > model::kProvisional && whole(first, dot, connection))
      out.insert({connection, index});
  }
  return out;
}

}  // namespace tailcap::report
