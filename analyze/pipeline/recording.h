// First reading: what is said of the recording as a whole, beside its requests.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/model/machine/memory_limits.h"
#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/served.h"
#include "analyze/tail/changes/marks.h"
#include "analyze/tail/go/go_programs.h"
#include "analyze/tail/incidents.h"
#include "analyze/tail/name_lookups.h"
#include "analyze/tail/quality.h"

namespace tailcap::pipeline {

class Recording {
 public:
  Recording(const formats::Preamble& preamble, const model::GoLimits& limits)
      : cpus_(preamble.cpus), facts_(preamble), go_(limits) {}

  void push(const formats::Event& event);
  // An event of the past of a window that begins at this time. Sums are those of the window. last: the next event is in
  // it.
  void push_past(const formats::Event& event, formats::Time window, bool last);
  void push(const model::Lookup& lookup) { lookups_.add(lookup); }
  // connection: of the exchange; may be null.
  void push(const model::Exchange& exchange, const model::Connection* connection);

  const tail::QualityFacts& facts() const { return facts_; }
  // Its begin and its quality, as far as they follow from the events so far: what Wanted needs.
  model::Study so_far() const {
    model::Study study;
    study.begin = facts_.first();
    facts_.fill(study.quality);
    return study;
  }
  // Says of each Go process only how busy it was.
  std::vector<model::GoStudy> busy() const { return go_.busy(cpus_, facts_.last()); }
  // local: the local endpoint of a connection. study: its preamble is set.
  void fill(const model::RequestTable& table, const std::vector<model::Served>& served,
            const std::function<model::TextId(model::ConnectionId)>& local, model::Study& study) const;

 private:
  const std::uint32_t cpus_;
  tail::QualityFacts facts_;
  tail::NameLookups lookups_;
  tail::GoPrograms go_;
  tail::Incidents incidents_;
  tail::changes::Marks marks_;
  model::MemoryLimits memory_;
};

}  // namespace tailcap::pipeline
