// Requests as spans, grouped by process under its resource. What came before the first request on a connection becomes
// spans below it, and what happened meanwhile becomes events. If a request is a foreign span, that span stays unchanged
// and the request's facts are placed below it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/model/request.h"
#include "analyze/model/trace/span.h"
#include "analyze/model/wall_clock.h"
#include "analyze/spans/ends.h"
#include "analyze/spans/enrichment.h"
#include "analyze/spans/identities.h"
#include "analyze/spans/resources.h"
#include "formats/preamble.h"

namespace tailcap::spans {

struct Source {
  const model::RequestTable& table;
  const AllEnds& ends;
  const std::vector<std::pair<model::ExchangeId, model::TextId>>& trace_states;
  const model::WallClock& clock;  // must be known
  formats::Duration clock_error{};
  const formats::Preamble& preamble;
  formats::Time first = formats::kNoTime, last = formats::kNoTime;  // of the capture
  bool phases = false;                                              // each phase of a request becomes an event
  std::span<const std::string> templates{};  // routes that the user declared, which are http.route
  bool waits = false;                        // the waits of each request become spans below its own
  std::span<const model::Course> courses{};  // what they waited for, by request
};

struct Counts {
  std::uint64_t requests = 0;                   // that became spans
  std::uint64_t not_placed = 0;                 // that did not, because their start is unknown
  std::uint64_t setup = 0;                      // spans of names, connects, handshakes
  std::uint64_t below = 0;                      // requests that are foreign spans, described below those
  std::uint64_t waits = 0, waits_left_out = 0;  // as in model::SpanFacts
  std::uint64_t without_waits = 0;
};

// All ids are the same whichever requests are chosen. The inputs must outlive the maker.
class SpanMaker {
 public:
  SpanMaker(const Source& source, const Identities& identities, const Enrichment& enrichment,
            const Resources& resources);
  ~SpanMaker();
  void add(std::uint32_t row);
  // Number of spans since take(). Each takes some kilobytes: call take() now and then.
  std::size_t size() const;
  std::vector<model::SpanResource> take();  // by machine and process
  const Counts& counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Rows that are joined to this one: its other end, its parent, its calls, and so on.
std::vector<bool> joined_to(const model::RequestTable& table, const Identities& identities, std::uint32_t row);

}  // namespace tailcap::spans
