// What became known about a thread after a request had been measured: waits that were reported late, and losses.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/flow/findings.h"
#include "analyze/flow/request.h"
#include "analyze/timeline/thread_waits.h"

namespace tailcap::timeline {

class Corrections {
 public:
  // A wait of this thread, unknown when the first `measured` requests were measured.
  void add(std::uint32_t tid, const Wait& wait, std::uint64_t measured);
  // Waits of unknown threads were lost in [from, to). counted: each thread's next wait tells that it lost some.
  void add_blind(std::int64_t from, std::int64_t to, bool counted);
  // rows in the order of measuring; last_back: when a thread's last known wait ended, 0: not known any more.
  void apply(flow::RequestTable& table, flow::Findings& findings,
             const std::function<std::int64_t(std::uint32_t)>& last_back);

 private:
  struct Late {
    std::uint32_t tid;
    std::uint64_t measured;
    Wait wait;
  };
  struct Span {
    std::int64_t from, to;
  };
  static void join(std::vector<Span>& spans);
  static bool touches(const std::vector<Span>& spans, std::int64_t from, std::int64_t to);

  std::vector<Late> late_;
  std::vector<Span> blind_, counted_;
  Span dropped_{0, 0};  // corrections given up lie in here
};

}  // namespace tailcap::timeline
