// A question about a capture that a part of it may answer. The answer is made again, from more of the capture, while it
// names requests by provisional numbers.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/request/detail.h"
#include "analyze/pipeline/window/past.h"

namespace tailcap::pipeline {

// The answer on the requests that Options choose. Commands add to it what they made.
struct Answer {
  Analysis analysis;
  std::set<model::ExchangeId> named;  // those with provisional numbers
  bool needs_all = false;             // to find their numbers would take as long as to read everything
};

// The answer on one request.
struct AnswerOnOne {
  Look look;
  std::set<model::ExchangeId> named;
};

// Which part of a capture decides what is asked.
struct DecidingPart {
  bool window = false;  // the requests from a moment on may be read alone: their moments are resolved first
  // Whether the reading may end where the last request that is asked for is over. clocks: all times of day are
  // resolved.
  std::function<bool(bool clocks)> decided;
};

class Question {
 public:
  explicit Question(std::string file, unsigned threads = 0, Progress progress = {},
                    PastOptions past = {.least_before = kLittle})
      : file_(std::move(file)), threads_(threads), progress_(std::move(progress)), past_(std::move(past)) {}

  // make(replay) analyzes with these options, and returns an Answer or what is derived from it.
  template <class Make>
  auto ask(Options& options, const DecidingPart& part, Make make) {
    for (window_ = part.window;; ++tries_) {
      Replay replay(file_, threads_, progress_);
      begin(replay, options, part);
      auto answer = make(replay);
      if (suffices(options, answer)) return answer;
    }
  }
  // make(replay, how) looks at this request, and returns an AnswerOnOne or what is derived from it.
  template <class Make>
  auto ask(LookOptions how, Make make) {
    how.past = past_;
    while (true) {
      Replay replay(file_, threads_, progress_);
      auto answer = make(replay, how);
      if (suffices(replay, answer, how)) return answer;
    }
  }

 private:
  void begin(Replay& replay, Options& options, const DecidingPart& part);
  bool suffices(const Options& options, const Answer& answer);
  bool suffices(const Replay& replay, const AnswerOnOne& answer, LookOptions& how);

  const std::string file_;
  const unsigned threads_;
  const Progress progress_;
  PastOptions past_;
  bool window_ = false;
  unsigned tries_ = 0;
};

}  // namespace tailcap::pipeline
