// Which answer of the report a request belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// The route that the request was counted with; unset: none, or not known.
std::optional<std::size_t> route_of(const model::Study& study, const model::RequestTable& table,
                                    const model::Request& request);

class AnswerOf {
 public:
  // verdicts: index in Study::verdicts of each answer, in their order.
  AnswerOf(const model::Study& study, const model::RequestTable& table, std::vector<std::size_t> verdicts)
      : study_(study), table_(table), verdicts_(std::move(verdicts)) {}

  // From 1; 0: the request is not among those of any answer.
  std::size_t number(const model::Request& request);
  // Index in Study::verdicts of that about the request's route, if it is among its requests, answer or not.
  std::optional<std::size_t> verdict(const model::Request& request);

 private:
  std::size_t slower(std::size_t route, const model::Request& request);

  const model::Study& study_;
  const model::RequestTable& table_;
  const std::vector<std::size_t> verdicts_;
  std::map<std::size_t, std::vector<std::int64_t>> durations_;  // by route, ascending
};

}  // namespace tailcap::report::tail
