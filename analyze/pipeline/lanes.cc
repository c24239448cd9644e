#include "analyze/pipeline/lanes.h"

#include "analyze/pipeline/replay.h"
#include "analyze/timeline/lane_collector.h"

namespace tailcap::pipeline {

model::Lanes lanes_of(const std::string& path, formats::Time from, formats::Time to, std::vector<std::uint32_t> pids,
                      unsigned threads) {
  timeline::LaneCollector collector(from, to, std::move(pids));
  Replay(path, threads).run(collector);
  return collector.done();
}

}  // namespace tailcap::pipeline
