#include "analyze/cli/options/named_request.h"

#include <stdexcept>

#include "analyze/cli/options/read_options.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/progress.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/literal.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/number.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

constexpr std::string_view kSlowest = "slowest";

// From 1; unset: the text names no answer.
std::optional<std::size_t> answer_of(std::string_view text) {
  if (!text.starts_with('@')) return std::nullopt;
  const auto number = query::parse_number(text.substr(1));
  if (!number || *number < 1) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

pipeline::Analysis studied(const std::string& file) {
  pipeline::Options options;
  options.threads = threads_from_environment();
  options.progress = progress_on_terminal();
  options.partition = true;
  return pipeline::analyze(file, options);
}

model::ExchangeId slowest(const std::string& file) {
  const pipeline::Analysis analysis = studied(file);
  if (analysis.study.slowest.empty())
    throw std::runtime_error(formats::printable(file) + " holds no request whose duration is known");
  return analysis.table.rows.id(analysis.study.slowest.front());
}

model::ExchangeId example_of(const std::string& file, std::size_t answer) {
  const pipeline::Analysis analysis = studied(file);
  const report::tail::Answers answers = report::tail::answers(analysis.study, analysis.table, {});
  const std::size_t all = answers.list.items.size();
  if (answer > all)
    throw std::runtime_error("`tailcap report` has " + report::count_text(all, "answer", "answers") + " for " +
                             formats::printable(file) + ", no answer " + std::to_string(answer));
  const std::string none = "answer " + std::to_string(answer) + " of `tailcap report` is about no single request";
  if (answer > answers.verdicts.size()) throw std::runtime_error(none);
  const model::Verdict& verdict = analysis.study.verdicts[answers.verdicts[answer - 1]];
  if (verdict.examples.empty()) throw std::runtime_error(none);
  return verdict.examples.front();
}

}  // namespace

bool names_request(std::string_view text) { return text == kSlowest || answer_of(text) || parse_id(std::string(text)); }

std::optional<model::ExchangeId> request_named(const std::string& file, const std::string& text) {
  if (text == kSlowest) return slowest(file);
  if (const auto answer = answer_of(text)) return example_of(file, *answer);
  return parse_id(text);
}

}  // namespace tailcap::cli
