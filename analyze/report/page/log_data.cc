#include "analyze/report/page/log_data.h"

#include <algorithm>
#include <map>
#include <vector>

#include "analyze/report/logs/log_lines.h"
#include "analyze/report/words/escape.h"

namespace tailcap::report::page {
namespace {

constexpr std::size_t kMostLines = 20'000;  // of the page
constexpr std::size_t kMostIn = 8;          // requests: a line that lies in more is at none of them
constexpr std::size_t kMostText = 300;      // characters

}  // namespace

void write_logs(JsonWriter& json, const model::LogBook& book, const model::RequestTable& table,
                std::span<const ShownRow> rows, DataTexts& texts) {
  std::map<model::ExchangeId, std::uint32_t> shown;
  for (std::uint32_t i = 0; i < rows.size(); ++i) shown.emplace(table.rows.id(rows[i].row), i);
  struct Line {
    std::uint32_t row = 0;
    const model::LogBook::Entry* entry = nullptr;
  };
  std::vector<Line> lines;
  std::uint64_t left_out = book.left_out;
  for (const auto& entry : book.entries) {
    if (entry.joined.count > kMostIn) {
      ++left_out;
      continue;
    }
    for (const model::ExchangeId id : entry.joined.requests) {
      const auto row = shown.find(id);
      if (row == shown.end()) continue;
      if (lines.size() < kMostLines)
        lines.push_back({row->second, &entry});
      else
        ++left_out;
    }
  }
  const auto write = [&](std::string_view name, auto get) {
    json.key(name);
    json.begin_array();
    for (const Line& line : lines) get(line);
    json.end_array();
  };
  json.key("logs");
  json.begin_object();
  write("rows", [&](const Line& l) { json.number(std::uint64_t{l.row}); });
  write("at", [&](const Line& l) {
    const formats::Time start = table.rows.start(rows[l.row].row);
    if (formats::known(l.entry->joined.at) && formats::known(start))
      json.number(std::int64_t{(l.entry->joined.at - start).count()});
    else
      json.null();
  });
  write("within", [&](const Line& l) { json.number(std::int64_t{l.entry->joined.within.count()}); });
  write("levels",
        [&](const Line& l) { json.number(std::uint64_t{texts.number(model::name_of(l.entry->joined.line.level))}); });
  write("texts", [&](const Line& l) {
    json.number(std::uint64_t{texts.number(shortened(printable(l.entry->joined.line.text), kMostText))});
  });
  write("sources", [&](const Line& l) { json.number(std::uint64_t{texts.number(source_text(*l.entry))}); });
  write("joined", [&](const Line& l) { json.boolean(l.entry->joined.joined()); });
  write("how", [&](const Line& l) { json.number(std::uint64_t{texts.number(join_text(l.entry->joined))}); });
  json.field("left_out", left_out);
  json.key("said");
  json.begin_array();
  for (const std::string& sentence : book.said) json.text(sentence);
  json.end_array();
  json.end_object();
}

}  // namespace tailcap::report::page
