// Allocations of Go programs per request: the recorder counts them by process, so only a process that serves one route
// has a number per request.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/pipeline/second_reading.h"

namespace tailcap::views {

class Allocations : public pipeline::SecondReading {
 public:
  void begin(const model::RequestTable&, const pipeline::Recording&) override {}
  void push(const formats::Event& event) override;
  // After the last event. from: the end of the warm-up, ns.
  void since(const pipeline::Analysis& analysis, std::int64_t from);
  // Fills `allocations`, or the reason why it stays empty. processes: those that the route's requests were recorded in.
  void read(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const;

 private:
  struct Process {
    std::map<std::int64_t, double> counted;  // by time: since the reading before
    std::vector<std::int64_t> ends;          // of the requests that it served
    std::set<std::pair<std::uint32_t, std::uint32_t>> routes;
  };
  static constexpr std::size_t kMostProcesses = 10'000, kMostReadings = 100'000;
  std::map<std::uint32_t, Process> processes_;
  std::int64_t from_ = 0;
};

}  // namespace tailcap::views
