#include "analyze/cli/output/request_line.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "analyze/report/words/call_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::cli {
namespace {

constexpr std::size_t kService = 12;
constexpr std::size_t kPath = 20;  // columns that a path keeps, however narrow the terminal

void pad_left(std::string& out, std::string_view text, std::size_t width) {
  const std::size_t n = report::columns(text);
  out.append(n < width ? width - n : 0, ' ').append(text).append("  ");
}

void pad_right(std::string& out, std::string_view text, std::size_t width) {
  const std::size_t n = report::columns(text);
  out.append(text).append(n < width ? width - n : 0, ' ').append("  ");
}

// Everything in front of the path; one place for the header line and the rows.
void columns(std::string& out, std::string_view start, std::string_view id, std::string_view service,
             std::string_view role, std::string_view status, std::string_view duration, std::string_view first_byte,
             std::string_view bytes, std::string_view method) {
  pad_left(out, start, 11);
  pad_right(out, id, 8);
  pad_right(out, service, kService);
  pad_right(out, role, 6);
  pad_left(out, status, 6);
  pad_left(out, duration, 9);
  pad_left(out, first_byte, 9);
  pad_left(out, bytes, 8);
  pad_right(out, method, 6);
}

// "+12.345678": microseconds tell requests of one burst apart.
std::string offset(formats::Time t, formats::Time first) {
  if (!formats::known(t) || !formats::known(first)) return "–";
  const std::int64_t us = (t - first).count() / 1000;
  char text[40];
  std::snprintf(text, sizeof text, "%+lld.%06lld", static_cast<long long>(us / 1'000'000),
                static_cast<long long>(std::abs(us % 1'000'000)));
  return text;
}

}  // namespace

std::string request_head() {
  std::string head;
  columns(head, "start s", "id", "service", "role", "status", "duration", "TTFB", "bytes", "method");
  return head + "path";
}

std::string request_line(const model::columns::ColumnFacts& facts, formats::Time first, std::size_t width) {
  const model::Request& row = facts.row;
  const model::TextPool& texts = facts.table.texts;
  const bool answered = row.outcome <= model::Outcome::server_error;
  std::string line;
  columns(line, offset(row.start, first), report::id_text(row.id),
          report::shortened(report::printable(facts.identity().service_name), kService), model::name_of(row.role),
          row.status != 0                      ? std::to_string(row.status)
          : is_store(row.protocol) && answered ? report::outcome_text(row)
                                               : "–",
          row.has_duration    ? report::duration_text(row.duration)
          : row.at_least >= 0 ? "≥ " + report::duration_text(formats::Duration{row.at_least})
                              : "–",
          row.first_byte.count() >= 0 ? report::duration_text(row.first_byte) : "–",
          row.response_bytes >= 0 ? report::bytes_text(static_cast<std::uint64_t>(row.response_bytes)) : "–",
          row.method != 0 ? report::shortened(report::printable(texts[row.method]), 12) : "?");
  std::string notes;
  const auto note = [&](std::string_view text) { (notes += notes.empty() ? "[" : ", ") += text; };
  if (row.grpc_status > 0) note(report::status_text(row.grpc_status));
  if (row.store.error_code != 0) note(report::printable(texts[row.store.error_code]));
  if (row.outcome > model::Outcome::server_error) note(model::name_of(row.outcome));
  for (const auto taint : model::names_of(row.taints)) note(taint);
  if (!notes.empty()) notes += ']';
  const std::string path = row.path != 0 ? report::printable(texts[row.path]) : has_operation(row.protocol) ? "" : "?";
  const std::size_t used = report::columns(line) + (notes.empty() ? 0 : report::columns(notes) + 2);
  line += report::shortened(path, std::max(kPath, width > used ? width - used : 0));
  if (path.empty()) line.erase(line.find_last_not_of(' ') + 1);
  return notes.empty() ? line : line + "  " + notes;
}

}  // namespace tailcap::cli
