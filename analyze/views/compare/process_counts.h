// What processes did per request that they served: the recorder counts allocations, CPU time and memory by process.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/pipeline/second_reading.h"

namespace tailcap::views {

class ProcessCounts : public pipeline::SecondReading {
 public:
  void begin(const model::RequestTable&, const pipeline::Recording&) override {}
  void push(const formats::Event& event) override;
  // After the last event. from: the end of the warm-up, ns.
  void since(const pipeline::Analysis& analysis, std::int64_t from);
  // Fills `readings`, or the reasons why they stay empty. processes: those that the route's requests were recorded in.
  void read(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const;

 private:
  struct Use {
    double cpu = 0, memory = 0;  // so far, ns; now, bytes
  };
  struct Process {
    std::map<std::int64_t, double> allocated;  // by time: since the reading before
    std::map<std::int64_t, Use> used;          // by time
    std::vector<std::int64_t> ends;            // of the requests that it served
    std::set<std::pair<std::uint32_t, std::uint32_t>> routes;

    double served(std::int64_t after, std::int64_t until) const;  // requests that ended then
  };

  void read_allocations(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const;
  void read_uses(const std::set<std::uint32_t>& processes, model::gate::RouteRun& route) const;

  static constexpr std::size_t kMostProcesses = 10'000, kMostReadings = 100'000;
  std::map<std::uint32_t, Process> processes_;
  std::int64_t from_ = 0;
};

}  // namespace tailcap::views
