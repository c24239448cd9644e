// The stacks of a capture that a flame graph shows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/model/study/flame.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "formats/sample.h"

namespace tailcap::views {

enum class FlameRequests : std::uint8_t { all, slow, typical, both };

struct FlameChoice {
  // The requests that stacks are taken from: filters and templates. No filter and `cohort` all: all stacks, whether or
  // not a request was under way. Its from and to limit the stacks.
  pipeline::Options requests;
  std::string title;  // what `requests` are, printable: "GET /cart"
  FlameRequests cohort = FlameRequests::all;
  bool off_cpu = false;
  std::vector<model::ExchangeId> ids;  // empty: any; ascending
  bool in_requests = false;            // no stacks outside requests that were served
  bool lines = false;                  // frames have the line that was executed
  bool by_request = false;             // the lowest frame is the request: "12.3", "12.3 trace 4bf9…"
  formats::SampleKind samples = formats::SampleKind::on_cpu;  // which, without off_cpu

  bool of_requests() const;
};

struct FlameResult {
  model::Flame flame;
  std::map<model::ExchangeId, std::vector<model::FoldedStack>> by_request;  // where it was asked for: without the title
  std::uint64_t requests = 0;                     // that own the stacks; 0: stacks were not selected by request
  std::uint64_t left_out = 0;                     // samples, or ns, with an unknown owner
  std::uint64_t waits = 0, waits_with_stack = 0;  // off_cpu: of the whole capture, preempted threads' not counted
  std::string undecided;                          // why there is no answer; a sentence
  bool damaged = false;                           // events were lost, or the capture is damaged or cut short
};

// Throws std::runtime_error if the file cannot be read, or has no samples.
FlameResult flame_of(const std::string& path, const FlameChoice& choice);

}  // namespace tailcap::views
