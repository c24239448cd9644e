#include "analyze/report/compact/screen.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/render/lines.h"
#include "analyze/render/style.h"
#include "analyze/report/compact/services.h"
#include "analyze/report/compact/sparkline.h"
#include "analyze/report/sections/origin_lines.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/masking.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::compact {
namespace {

using model::Verdict;
using render::List;

constexpr std::size_t kLabel = 10;       // columns before a line's text
constexpr std::size_t kAnswerLines = 3;  // at most
constexpr std::size_t kOrigins = 2;      // notes, and that it is a part of another capture
constexpr std::size_t kAlarmLines = 2;   // of what must not be overlooked
constexpr std::size_t kIndent = 3, kFile = 40, kAll = 100'000;

struct Line {
  std::string text;
  std::string_view style{};
};
using Lines = std::vector<Line>;

// text in at most `most` lines; where it is longer, it ends in "…".
std::vector<std::string> broken(std::string_view text, std::size_t width, std::size_t most) {
  std::vector<std::string> out;
  std::string line;
  bool cut = false;
  while (!text.empty()) {
    const std::string_view word = render::first_word(text);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && columns(line) + 1 + columns(word) > width) {
      out.push_back(std::exchange(line, {}));
      if ((cut = out.size() == most)) break;
    }
    line += (line.empty() ? "" : " ") + shortened(word, width);
  }
  if (!line.empty()) out.push_back(line);
  if (!cut) return out;
  std::string& last = out.back();
  while (columns(last) + 2 > width && last.find(' ') != last.npos) last.erase(last.rfind(' '));
  last += " …";
  return out;
}

void add_fact(Lines& out, const char* label, const std::string& text, std::size_t width, std::size_t most = 1,
              std::string_view style = {}) {
  bool first = true;
  for (const std::string& line : broken(text, width - kLabel, most)) {
    out.push_back({render::padded(first ? label : "", kLabel) + line, style});
    first = false;
  }
}

std::string_view style_of(Tone tone) {
  return tone == Tone::alarm ? render::kAlarm : tone == Tone::care ? render::kCare : std::string_view{};
}

std::string title(const model::Study& study, const ReportOptions& options) {
  const model::Quality& q = study.quality;
  std::string out = shortened(printable(options.file), kFile);
  const auto add = [&](const std::string& part) {
    const std::string joined = out + (options.plain ? " - " : " · ") + part;
    if (columns(joined) <= options.width) out = joined;
  };
  const formats::Time begin = formats::known(q.file.first) ? q.file.first : study.begin;
  const std::string length = duration_text(q.part_read() ? q.file.last - q.file.first : q.duration);
  add(length + (formats::known(begin) && q.realtime_offset != 0
                    ? " from " + utc_text(formats::nanoseconds(begin) + q.realtime_offset, 0)
                    : ""));
  const std::string host = shortened(printable(q.preamble.host), 20);
  const std::string cpus = q.preamble.cpus == 0 ? "" : count_text(q.preamble.cpus, "CPU", "CPUs");
  if (!host.empty() || !cpus.empty()) add(host + (host.empty() || cpus.empty() ? "" : ", ") + cpus);
  return out;
}

// The first of these has most requests of those that come in.
const model::HealthRow* row_of(const model::Health& health, bool with_errors) {
  const auto at = std::ranges::find_if(
      health.rows, [&](const model::HealthRow& row) { return with_errors ? row.errors > 0 : row.p99.count() > 0; });
  return at == health.rows.end() ? nullptr : &*at;
}

std::string row_name(const model::HealthRow& row) {
  const std::string name = row.name.empty() ? "an unknown process" : shortened(printable(row.name), 20);
  return (row.role == model::Role::client ? "calls to " : "") + name;
}

void add_latency(const model::HealthRow& row, const ReportOptions& options, Lines& out) {
  std::vector<std::int64_t> values;
  std::int64_t highest = 0;
  for (const model::HealthCell& cell : row.cells) {
    values.push_back(cell.timed == 0 ? kNothing : std::max<std::int64_t>(cell.p99.count(), 1));
    if (cell.timed >= model::Health::kFewest) highest = std::max<std::int64_t>(highest, cell.p99.count());
  }
  out.push_back({render::padded("latency", kLabel) + "[" + sparkline(values, options.plain) + "] p99 " +
                 duration_text(row.p99) + " (median)" +
                 (highest == 0 ? "" : ", " + duration_text(model::Duration{highest}) + " (highest)")});
}

void add_health(const model::Study& study, const ReportOptions& options, Lines& out) {
  const model::Quality& q = study.quality;
  const model::HealthRow *latency = row_of(study.health, false), *failing = row_of(study.health, true);
  std::string errors = errors_text(q.errors, q.exchanges);
  std::string text = count_text(q.exchanges) + ", " + (errors.empty() ? "no errors" : errors);
  if (latency)
    text += ". Below: " + row_name(*latency) + ", one column for " + duration_text(study.health.window) + ".";
  add_fact(out, "requests", text, options.width);
  if (!latency) return;
  add_latency(*latency, options, out);
  if (!failing) return;
  std::vector<std::int64_t> values;
  for (const model::HealthCell& cell : failing->cells)
    values.push_back(cell.requests == 0 ? kNothing : static_cast<std::int64_t>(cell.errors));
  const std::string whose = failing == latency ? "" : " of " + row_name(*failing);
  out.push_back({render::padded("errors", kLabel) + "[" + sparkline(values, options.plain) + "] " +
                 shortened(errors_text(failing->kinds, failing->requests) + whose,
                           options.width - kLabel - model::Health::kWindows - 3)});
}

// Where answers begin: the process of the first route of each.
std::map<std::string, std::vector<std::size_t>> roots(const tail::Answers& answers, const model::Study& study) {
  std::map<std::string, std::vector<std::size_t>> out;
  for (std::size_t i = 0; i < answers.verdicts.size(); ++i) {
    const Verdict& v = study.verdicts[answers.verdicts[i]];
    if (v.scope == model::VerdictScope::machine || v.level < model::VerdictLevel::notable || v.routes.empty()) continue;
    const model::RouteStudy& route = study.routes[v.routes.front()];
    if (!route.comm.empty() && route.role == model::Role::server) out[route.comm].push_back(i + 1);
  }
  return out;
}

Lines head(const model::Study& study, const tail::Answers& answers, const model::Topology& topology,
           const ReportOptions& options) {
  Lines out{{title(study, options), render::kBold}};
  if (!options.scope.empty()) add_fact(out, "filtered", options.scope, options.width, 1, render::kCare);
  const FactLine data = data_line(study);
  add_fact(out, "data", data.text, options.width, data.tone == Tone::alarm ? kAlarmLines : 1, style_of(data.tone));
  if (unsafe(study.quality))
    add_fact(out, "UNSAFE", masking_lines(study.quality).front().text, options.width, kAlarmLines, render::kAlarm);
  std::size_t origins = 0;
  for (const FactLine& line : origin_lines(study))
    if (line.label == "cut" || line.label == "snapshot" || line.label == "note")
      if (origins++ < kOrigins) add_fact(out, line.label.c_str(), line.text, options.width, 1, style_of(line.tone));
  const std::string services = services_text(topology, roots(answers, study), options.plain ? "->" : "→");
  if (!services.empty()) add_fact(out, "services", services, options.width, kAlarmLines);
  if (study.quality.requests > 0) add_health(study, options, out);
  out.push_back({});
  return out;
}

std::string_view level_word(List::Accent accent) {
  return accent == List::Accent::severe ? "SEVERE" : accent == List::Accent::notable ? "notable" : "note";
}

std::string_view style_of(List::Accent accent) {
  return accent == List::Accent::severe    ? render::kAlarm
         : accent == List::Accent::notable ? render::kCare
                                           : render::kBold;
}

// What follows the head, most telling first, without the punctuation that joins it to the head.
std::string body_text(const std::vector<tail::Said>& said) {
  std::string out;
  for (const auto aspect : {tail::Aspect::cause, tail::Aspect::felt, tail::Aspect::when, tail::Aspect::rest})
    for (const tail::Said& s : said)
      if (s.aspect == aspect) out += s.text;
  const std::size_t first = out.find_first_not_of(" :;.");
  if (first == out.npos) return {};
  out.erase(0, first);
  if (out.front() >= 'a' && out.front() <= 'z') out.front() = static_cast<char>(out.front() - 'a' + 'A');
  return out;
}

std::string head_text(const std::vector<tail::Said>& said) {
  std::string out;
  for (const tail::Said& s : said)
    if (s.aspect == tail::Aspect::head) out += s.text;
  if (out.ends_with('.')) out.pop_back();
  return out;
}

// At most three lines; the id of its example ends the last one.
Lines answer(std::size_t number, const List::Item& item, const std::vector<tail::Said>& said, const std::string& id,
             std::size_t width) {
  Lines out;
  const std::string mark = std::to_string(number) + " " + std::string(level_word(item.accent)) + "  ";
  std::string first = said.empty() ? item.text.plain() : head_text(said), rest = said.empty() ? "" : body_text(said);
  // What happened has a line of its own, where one is enough.
  if (!rest.empty() && columns(mark) + columns(first) > width) first += ". " + std::exchange(rest, {});
  const std::size_t narrow = width - kIndent - (id.empty() ? 0 : id.size() + 2);
  const auto add = [&](const std::string& text, std::size_t columns_of_it, std::size_t most) {
    for (const std::string& line : broken(text, columns_of_it, most))
      out.push_back({(out.empty() ? mark : std::string(kIndent, ' ')) + line,
                     out.empty() ? style_of(item.accent) : std::string_view{}});
  };
  if (rest.empty() && columns(mark) + columns(first) > width) {
    // The first line has its mark, and the others leave room for the id.
    const std::string begin = broken(first, width - columns(mark), kAll).front();
    add(begin, width, 1);
    first = first.substr(std::min(begin.size() + 1, first.size()));
    add(first, narrow, kAnswerLines - 1);
  } else {
    add(first, width, 1);
    add(rest, narrow, kAnswerLines - 1);
  }
  if (id.empty() || out.empty()) return out;
  const std::size_t used = columns(out.back().text);
  if (used + 2 + id.size() <= width)
    out.back().text += std::string(width - used - id.size(), ' ') + id;
  else
    out.push_back({std::string(width - id.size(), ' ') + id});
  return out;
}

std::vector<Lines> answer_lines(const tail::Answers& answers, const model::Study& study,
                                const model::RequestTable& table, const ReportOptions& options) {
  std::vector<Lines> out;
  for (std::size_t i = 0; i < answers.list.items.size(); ++i) {
    std::vector<tail::Said> said;
    std::string id;
    if (i < answers.verdicts.size()) {
      const Verdict& v = study.verdicts[answers.verdicts[i]];
      said = tail::pieces(v, study, table);
      if (!v.examples.empty()) id = id_text(v.examples.front());
    }
    out.push_back(answer(i + 1, answers.list.items[i], said, id, options.width));
  }
  return out;
}

// Commands with what they show; where both do not fit into a line, the command alone, whatever its length: it is to be
// copied.
Lines next_commands(const tail::Answers& answers, const model::Study& study, const ReportOptions& options) {
  const std::string file = columns(options.file) <= kFile ? shell_word(printable(options.file)) : "FILE";
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::size_t i : answers.verdicts)
    if (!study.verdicts[i].examples.empty()) {
      all.push_back({"tailcap show " + file + " " + id_text(study.verdicts[i].examples.front()),
                     "one request; IDs are at the right"});
      break;
    }
  all.push_back({"tailcap report " + file + " --full", "routes, percentiles, all evidence"});
  all.push_back({"tailcap open " + file, "the page to work in"});
  std::size_t widest = 0;
  for (const auto& [command, what] : all) widest = std::max(widest, columns(command));
  Lines out;
  for (const auto& [command, what] : all) {
    const std::string line = render::padded(command, widest) + "  " + what;
    out.push_back({columns(line) <= options.width ? line : command, render::kCommand});
  }
  return out;
}

// What tailcap's own words have beside ASCII. Text from a capture stays as it is.
std::string in_ascii(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kPlain[] = {
      {"…", "~"}, {"×", "x"}, {"µ", "u"}, {"–", "-"}, {"≥", ">="}, {"≤", "<="}, {"≈", "~"}, {"“", "\""}, {"”", "\""}};
  for (const auto& [from, to] : kPlain)
    for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
      text.replace(at, from.size(), to);
  return text;
}

}  // namespace

std::string screen(const model::Study& study, const model::RequestTable& table, const model::Topology& topology,
                   const ReportOptions& options) {
  ReportOptions most = options;
  most.sentences = kLines;
  const tail::Answers answers = tail::answers(study, table, most);
  Lines all = head(study, answers, topology, options);
  const Lines next = next_commands(answers, study, options);
  if (!answers.calm.empty())
    for (const std::string& line : broken(answers.calm, options.width, 2)) all.push_back({line});
  std::vector<Lines> found = answer_lines(answers, study, table, options);
  std::size_t needed = all.size() + 1 + next.size() + (answers.rest.empty() ? 0 : 1);
  for (const Lines& lines : found) needed += lines.size();
  std::size_t shown = found.size();
  if (needed > kLines || answers.hidden > 0) {
    needed += answers.rest.empty() ? 1 : 0;  // how many are left out
    for (; shown > 0 && needed > kLines; --shown) needed -= found[shown - 1].size();
  }
  for (std::size_t i = 0; i < shown; ++i) all.insert(all.end(), found[i].begin(), found[i].end());
  std::string rest = answers.rest;
  if (const std::size_t more = found.size() - shown + answers.hidden; more > 0)
    rest = count_text(more, "more answer", "more answers") + ": --full shows " + (more == 1 ? "it. " : "them. ") + rest;
  if (!rest.empty()) all.push_back({broken(rest, options.width, 1).front(), render::kDim});
  if (!all.back().text.empty()) all.push_back({});
  all.insert(all.end(), next.begin(), next.end());
  std::string out;
  for (const Line& line : all) out += (options.coloured ? render::styled(line.text, line.style) : line.text) + "\n";
  return options.plain ? in_ascii(std::move(out)) : out;
}

}  // namespace tailcap::report::compact
