// gRPC's calls in front of people: one call in `tailcap show`, a method's calls in `tailcap report`.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

using formats::Duration;
using formats::Time;

// Service, status, messages, deadline, who gave up when, trace context. Empty where the request is no call.
// zero: where the axis begins; span: its length.
std::vector<FactLine> call_facts(const model::Detail& detail, Time zero, Duration span);

// One message of a call, at both ends where both were recorded.
struct CallMessage {
  std::string name;            // "request 1"
  std::string size;            // "1.23 kB", "1.23 kB, compressed"
  std::string client, server;  // "sent +1.2 ms", "arrived +1.5 ms, read +1.7 ms"; empty: not recorded
};

struct CallMessages {
  std::vector<CallMessage> listed;  // by direction, in order
  std::string others;               // "and 12 more responses"; empty: none
};
CallMessages call_messages(const model::Detail& detail, Time zero, Duration span);

// Lines for a route: the handlers that served it, where they are known; of a gRPC method also statuses, messages,
// deadlines, trace context.
std::vector<FactLine> method_facts(const model::RouteStudy& route, const model::RequestTable& table);

}  // namespace tailcap::report
