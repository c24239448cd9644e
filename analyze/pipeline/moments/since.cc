#include "analyze/pipeline/moments/since.h"

#include <utility>

#include "analyze/pipeline/wanted.h"
#include "analyze/tail/quality.h"
#include "formats/skim/skim.h"

namespace tailcap::pipeline {
namespace {

// Takes only what is rare, which clocks are.
class Clocks : public formats::EventChoice {
 public:
  explicit Clocks(const formats::Preamble& preamble) : facts_(preamble) {}

  Answer wants(formats::Kind, formats::SocketId) override { return Answer::pass_block; }
  void take(const formats::Event& event) override {
    if (formats::kind_of(event) == formats::Kind::clock) facts_.push(event);
  }
  model::Study study(formats::Time first) {
    model::Study study;
    facts_.begins(first);
    facts_.fill(study.quality);
    study.begin = first;
    return study;
  }

 private:
  tail::QualityFacts facts_;
};

}  // namespace

bool resolve_moments(Replay& replay, Options& options) {
  const auto absolute = [](const std::optional<Moment>& moment) { return moment && moment->absolute; };
  Clocks clocks(replay.preamble());
  if (absolute(options.from) || absolute(options.to)) {
    formats::Skim skim(replay.path(), replay.threads());
    while (skim.next(clocks)) {
    }
    if (!skim.sound()) return false;
  }
  const model::Study study = clocks.study(replay.summary().first);
  for (std::optional<Moment>* moment : {&options.from, &options.to})
    if (*moment) **moment = {false, formats::nanoseconds(time_of(**moment, study)), true};
  return true;
}

void begin_at_from(Replay& replay, Options& options, PastOptions past) {
  if (!options.from || !options.from->of_capture || replay.summary().events <= past.least_before) return;
  past.threads = replay.threads();
  past.passed = [&](std::uint64_t events) { replay.passed(events); };
  replay.begin_with(past_before(replay.path(), formats::time_from(options.from->nanoseconds), past));
  options.past = replay.past();
}

}  // namespace tailcap::pipeline
