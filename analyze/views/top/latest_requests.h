// The requests of the latest part of a recording that is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/route_board.h"
#include "analyze/pipeline/following.h"

namespace tailcap::views {

class LatestRequests {
 public:
  // More than this are not kept: the part is shorter then.
  static constexpr std::size_t kMost = 200'000;
  static constexpr std::size_t kMostUnderWay = 100'000;

  explicit LatestRequests(formats::Duration part, std::size_t most = kMost) : part_(part), most_(most) {}

  // Whether a request is meant; it may be one that is under way.
  using Wanted = std::function<bool(const model::RequestTable&, const model::Request&)>;

  // Takes what Following::take() gives. now: of the recording.
  void add(const model::Request& row, formats::Time now);
  // Those that ended in the last part before `now`, and those under way. Forgets older ones.
  model::RouteBoard board(const pipeline::Following& following, formats::Time now, const Wanted& wanted);

 private:
  struct Ended {
    formats::Time at;
    model::Request row;
  };

  const formats::Duration part_;
  const std::size_t most_;
  std::vector<model::Request> unfinished_;       // when the recording ended
  std::deque<Ended> ended_;                      // about in the order in which they ended
  formats::Time whole_from_ = formats::kNoTime;  // of what ended before, some were given up
};

}  // namespace tailcap::views
