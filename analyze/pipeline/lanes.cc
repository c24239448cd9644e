#include "analyze/pipeline/lanes.h"

#include "analyze/timeline/lane_collector.h"
#include "formats/reader.h"

namespace tailcap::pipeline {

flow::Lanes lanes_of(const std::string& path, formats::Time from, formats::Time to, std::vector<std::uint32_t> pids,
                     unsigned threads) {
  timeline::LaneCollector collector(from, to, std::move(pids));
  formats::Reader reader(path, {.threads = threads});
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const auto& event : events) collector.push(event);
  return collector.done();
}

}  // namespace tailcap::pipeline
