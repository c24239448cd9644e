#include "analyze/report/agent_report.h"

#include <algorithm>
#include <vector>

#include "analyze/render/document.h"
#include "analyze/report/sections/quality.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/tail/route_tail.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/masking.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::Document;
using render::List;

constexpr std::size_t kAnswersBytes = 4500;  // beyond that evidence is worth more than a further answer
constexpr std::size_t kNoteBytes = 300;      // what is left out
constexpr std::size_t kFileName = 80, kLineBytes = 400;

// Markdown of bounded size.
class Budget {
 public:
  // False: it would be too long, and is left out.
  bool add(const Document& part, std::size_t most) {
    std::string text = render::to_markdown(part);
    if (!out_.empty()) text.insert(0, "\n");
    if (out_.size() + text.size() > most) return false;
    out_ += text;
    return true;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

Document agent_head(const model::Study& study, const ReportOptions& options) {
  Document out;
  out.heading(1, "tailcap report: " + shortened(printable(options.file), kFileName));
  if (!options.scope.empty()) out.paragraph("Filtered: " + shortened(options.scope, kLineBytes) + ".");
  out.add(head_facts(study));
  if (unsafe(study.quality)) out.paragraph(masking_lines(study.quality).front().text, render::Tone::alarm);
  for (const FactLine& line : quality_lines(study))
    if (line.label == "recorded") out.paragraph("Recorded: " + shortened(line.text, kLineBytes) + ".");
  return out;
}

// As many of the answers as there is room for. Returns how many are left out.
std::size_t add_within(const tail::Answers& answers, const std::string& title, Budget& out) {
  for (std::size_t n = answers.list.items.size(); n > 0; --n) {
    Document part;
    part.heading(2, title);
    List list = answers.list;
    list.items.resize(n);
    part.add(std::move(list));
    if (const std::string rest = answers.rest_text(); !rest.empty()) part.note(rest);
    if (out.add(part, kAnswersBytes)) return answers.list.items.size() - n;
  }
  if (answers.list.items.empty() && !answers.rest.empty()) {
    Document part;
    part.heading(2, title);
    part.note(answers.rest);
    out.add(part, kAnswersBytes);
  }
  return answers.list.items.size();
}

Document next_commands(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  const std::string file = shortened(printable(options.file), kFileName);
  Document out;
  render::Code code;
  if (!study.slowest.empty())
    code.lines.push_back("tailcap show " + file + " " + id_text(table.rows.id(study.slowest.front())) +
                         "   # the slowest request in time, with what it waited for");
  code.lines.push_back("tailcap requests " + file + " --sort duration -n 20   # slowest first; --json for programs");
  code.lines.push_back("tailcap report " + file + " --json   # everything, in numbers");
  code.lines.push_back("tailcap info " + file + "   # what was recorded and what was lost");
  out.heading(2, "Next");
  out.add(std::move(code));
  return out;
}

Document evidence(const model::RouteStudy& route, const model::RequestTable& table) {
  Document out = tail::evidence(route, table);
  if (out.empty()) return out;
  Document titled;
  titled.heading(3,
                 shortened(route_title(route), kFileName) + (route.role == model::Role::client ? " (client end)" : ""));
  std::string line = count_text(route.count, "request", "requests");
  if (const std::string errors = errors_text(route.errors(), route.count + route.incomplete); !errors.empty())
    line += "; " + errors;
  for (const auto& q : rising(route.latency)) line += "; " + quantile_name(q.q) + " " + quantile_text(q).value;
  titled.paragraph(line + ".");
  titled.append(std::move(out));
  return titled;
}

}  // namespace

std::string agent_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  Budget out;
  out.add(agent_head(study, options), kAnswersBytes);
  const tail::Answers answers = tail::answers(study, table, options);
  const std::size_t unsaid = add_within(answers, tail::answers_title(study), out);
  out.add(next_commands(study, table, options), kAgentBytes - kNoteBytes);
  std::vector<std::uint32_t> order = answers.routes;  // what the answers are about comes first
  for (std::uint32_t i = 0; i < study.routes.size(); ++i)
    if (std::ranges::find(answers.routes, i) == answers.routes.end()) order.push_back(i);
  std::size_t without = 0;
  bool full = false;
  for (const std::uint32_t i : order) {
    const Document part = evidence(study.routes[i], table);
    if (part.empty()) continue;
    full = full || !out.add(part, kAgentBytes - kNoteBytes);
    without += full;
  }
  std::string left_out;
  if (unsaid > 0) left_out = count_text(unsaid, "answer", "answers");
  if (without > 0)
    left_out +=
        (left_out.empty() ? "" : " and ") + std::string("the evidence on ") + count_text(without, "route", "routes");
  if (!left_out.empty()) {
    Document part;
    part.note("Left out for length: " + left_out + ". The JSON report has everything.");
    out.add(part, kAgentBytes);
  }
  return out.take();
}

}  // namespace tailcap::report
