#include "analyze/cli/options/selection.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "analyze/cli/options/old_names.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/progress.h"
#include "analyze/model/columns/column.h"
#include "analyze/query/later.h"
#include "analyze/query/literal.h"
#include "analyze/query/route_filter.h"
#include "analyze/report/words/escape.h"

namespace tailcap::cli {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw UsageError(
      "'" + report::printable(text) +
      "' is no moment: give a time since the start like 10s, 1500ms or 1m30s, one before the end like -10s, or a UTC "
      "time like 12:34:56 or 2026-03-01T12:34:56Z");
}

// Only a number or a class: the value becomes part of a filter.
bool is_status(const std::string& s) {
  return s.empty() || (s.size() == 3 && s[0] >= '1' && s[0] <= '9' &&
                       ((s[1] == 'x' && s[2] == 'x') || (s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9')));
}

// Exactly `digits` decimal digits at the front of text, which they are taken from.
int take(std::string_view& text, std::size_t digits, const std::string& whole) {
  int value = 0;
  if (text.size() < digits) refuse(whole);
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') refuse(whole);
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

void expect(std::string_view& text, std::string_view any_of, const std::string& whole) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) refuse(whole);
  text.remove_prefix(1);
}

pipeline::Moment wall_time(const std::string& whole) {
  using namespace std::chrono;
  std::string_view text = whole;
  const int y = take(text, 4, whole);
  expect(text, "-", whole);
  const int m = take(text, 2, whole);
  expect(text, "-", whole);
  const int d = take(text, 2, whole);
  const year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
  expect(text, "T ", whole);
  const int h = take(text, 2, whole);
  expect(text, ":", whole);
  const int min = take(text, 2, whole);
  int s = 0;
  std::int64_t fraction = 0;
  if (!text.empty() && text.front() == ':') {
    text.remove_prefix(1);
    s = take(text, 2, whole);
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      std::int64_t unit = 100'000'000;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10)
        fraction += (text.front() - '0') * unit;
    }
  }
  if (text == "Z" || text == " UTC") text = {};
  // 1678 to 2262 is what nanoseconds in 64 bits can say.
  if (!text.empty() || !date.ok() || y < 1680 || y > 2260 || h > 23 || min > 59 || s > 60) refuse(whole);
  const auto day_ns = duration_cast<nanoseconds>(sys_days{date}.time_since_epoch()).count();
  return {true, day_ns + ((h * 60 + min) * 60 + s) * std::int64_t{1'000'000'000} + fraction};
}

}  // namespace

pipeline::Moment moment_of(const std::string& text) {
  std::string_view rest = text;
  if (rest.find(':') != rest.npos) return wall_time(text);
  if (!rest.empty() && rest.front() == '+') rest.remove_prefix(1);
  if (const auto seconds = query::parse_number(rest); seconds && *seconds < 9'000'000'000)
    return {false, *seconds * 1'000'000'000};
  const auto ns = query::parse_duration(rest);
  if (!ns) refuse(text);
  return {false, *ns};
}

void refuse_empty_range(const std::string& from, const std::string& to) {
  if (from.empty() || to.empty()) return;
  const pipeline::Moment begin = moment_of(from), end = moment_of(to);
  // A time since the start and a time of day can be compared only where the capture is known.
  if (begin.absolute == end.absolute && begin.nanoseconds >= end.nanoseconds)
    throw UsageError("nothing lies between --from " + report::printable(from) + " and --to " + report::printable(to) +
                     ": the first must be earlier");
}

bool Selection::empty() const {
  return routes.empty() && from.empty() && to.empty() && filters.empty() && role.empty() && status.empty();
}

void add_selection(CommandLine& line, Selection& selection, const char* question) {
  line.group(question);
  line.option(option::kWhere, &selection.filters);
  line.option(option::kRoute, &selection.routes);
  line.option(option::kStatus, &selection.status);
  line.choice(option::kRole, selection.role, {"server", "client"});
  line.option(option::kFrom, &selection.from);
  line.option(option::kTo, &selection.to);
  line.option(option::kAround, &selection.around);
}

void add_routes(CommandLine& line, Selection& selection) {
  line.group("How are routes made?");
  line.option(option::kRouteTemplate, &selection.templates);
  line.option(option::kMaxRoutes, &selection.max_routes);
}

pipeline::Options options_of(const Selection& selection) {
  pipeline::Options options;
  options.threads = threads_from_environment();
  options.progress = progress_on_terminal();
  refuse_empty_range(selection.from, selection.to);
  if (!selection.from.empty()) options.from = moment_of(selection.from);
  if (!selection.to.empty()) options.to = moment_of(selection.to);
  for (const auto& filter : selection.filters) options.filters.emplace_back(filter);
  if (!selection.role.empty()) options.filters.emplace_back("role == " + query::literal(selection.role));
  if (!is_status(selection.status))
    throw UsageError("--status is a number like 404 or a class like 5xx, not '" + report::printable(selection.status) +
                     "'");
  if (!selection.status.empty()) options.filters.emplace_back("status == " + selection.status);
  options.routes = selection.templates;
  std::string routes;
  for (const auto& route : selection.routes) {
    if (route.empty()) throw UsageError("--route needs a route, as the report prints it");
    if (query::declares_template(route)) options.routes.emplace_back(query::path_in(route));
    routes += (routes.empty() ? "" : " || ") + query::route_expression(route);
  }
  if (!routes.empty()) options.filters.emplace_back(routes);
  for (const auto& filter : options.filters) {
    warn_of_old_names(filter);
    options.partition = options.partition || filter.needs_account();
    options.keep_splits = options.keep_splits || (filter.needs() & model::columns::kSplit) != 0;
  }
  options.max_routes = selection.max_routes;
  return options;
}

bool decided_early(const Selection& selection, bool clocks_known) {
  const auto relative = [&](const std::string& moment) {
    return moment.empty() || clocks_known || !moment_of(moment).absolute;
  };
  return relative(selection.from) && relative(selection.to) && selection.routes.empty() &&
         selection.templates.empty() &&
         std::ranges::all_of(selection.filters, [](const std::string& f) { return query::unsettled_field(f).empty(); });
}

std::string scope_text(const Selection& selection) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "requests " : ", ") + part; };
  if (!selection.role.empty()) add(selection.role == "server" ? "served" : "made");
  for (std::size_t i = 0; i < selection.routes.size(); ++i)
    add((i == 0 ? "of route " : "or ") + report::printable(selection.routes[i]));
  if (!selection.status.empty()) add("with status " + report::printable(selection.status));
  if (!selection.from.empty()) add("that began at or after " + report::printable(selection.from));
  if (!selection.to.empty()) add("that began before " + report::printable(selection.to));
  for (const auto& filter : selection.filters) add("that match " + report::printable(filter));
  return text;
}

}  // namespace tailcap::cli
