// Requests of connections that are joined in a window have provisional numbers (model::kProvisional). Those that are
// named must have the numbers that they have in the whole capture.
#pragma once

#include <set>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/window/past.h"

namespace tailcap::pipeline {

// Requests of which the past can tell, by start and duration, which they are. By id.
std::vector<Numberless> numberless(const model::RequestTable& table);

struct NumbersKnown {
  const model::PartlyRead& partly;
  const exchanges::Exchanges::Numbers& numbers;
  const std::vector<Numberless>& numberless;
  model::ConnectionId described = 0;  // more is said of it than numbers: it has to be read whole
};

// Where what is said names requests by provisional numbers: sets the past that makes these known. False: they are, and
// what looks like one is none.
bool find_numbers(const NumbersKnown& known, const model::Quality& quality,
                  const std::set<model::ExchangeId>& provisional, PastOptions& past);

}  // namespace tailcap::pipeline
