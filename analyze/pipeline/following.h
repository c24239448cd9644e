// The requests of a capture that is still being written, each when it is over.
//
// What is only known at the end of a capture is not in their rows: routes, other ends, parents, other attempts, setups,
// handlers, labels.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/wire_pass.h"
#include "formats/event_names.h"
#include "formats/preamble.h"

namespace tailcap::pipeline {

// A loss is counted after it happened: a request is given when the recording has gone on for kSettling since its end.
inline constexpr formats::Duration kSettling = std::chrono::seconds{1};

class Following {
 public:
  explicit Following(const formats::Preamble& preamble);
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  void push(const formats::Event& event);
  // Those that are over for long enough; all: however short. In the order in which they were over.
  std::vector<model::Request> take(bool all);

  // Adds a row for each request that waits for its response: outcome in_flight, texts of that table. False: there are
  // more than `most`.
  bool add_under_way(model::RequestTable& table, std::size_t most) const { return wire_.add_under_way(table, most); }

  const model::RequestTable& table() const { return table_; }
  // All but the requests, as far as it follows from the events so far.
  model::Study so_far() const { return wire_.recording().so_far(); }
  formats::Time now() const { return now_; }  // of the latest event
  const model::WallClock& clock() const { return wire_.recording().facts().clock(); }
  std::uint64_t lost() const { return lost_; }

 private:
  const Options options_;
  WirePass wire_;
  const model::RequestTable& table_;                             // of wire_
  std::size_t seen_ = 0, given_ = 0;                             // rows of the table
  std::deque<std::pair<std::size_t, formats::Time>> announced_;  // behind which row, when
  formats::Time now_ = formats::kNoTime;
  std::uint64_t lost_ = 0;
};

}  // namespace tailcap::pipeline
