#include "analyze/pipeline/question/question.h"

#include "analyze/pipeline/moments/since.h"
#include "analyze/pipeline/window/numbers.h"

namespace tailcap::pipeline {
namespace {

constexpr unsigned kMostWindows = 4;  // that are tried, each with more connections than the one before

}  // namespace

void Question::begin(Replay& replay, Options& options, const DecidingPart& part) {
  window_ = window_ && replay.summary().events > past_.least_before;
  if (window_ && tries_ == 0) options.beginning = part.decided(resolve_moments(replay, options));
  options.past = nullptr;
  if (window_ && tries_ < kMostWindows) begin_at_from(replay, options, past_);
}

bool Question::suffices(const Options& options, const Answer& answer) {
  if (!options.past) return true;
  if (answer.needs_all) {
    window_ = false;
    return false;
  }
  return !find_numbers({options.past->partly, options.past->numbers, answer.analysis.numberless},
                       answer.analysis.study.quality, answer.named, past_);
}

bool Question::suffices(const Replay& replay, const AnswerOnOne& answer, LookOptions& how) {
  if (!answer.look.detail || answer.look.mistaken) {
    how.window = false;
    return !answer.look.mistaken;
  }
  if (!replay.past() || !find_numbers(answer.look, answer.named, how)) return true;
  how.window = ++tries_ < kMostWindows;
  return false;
}

}  // namespace tailcap::pipeline
