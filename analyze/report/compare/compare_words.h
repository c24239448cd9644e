// The sentences of a comparison. Everything returned is printable().
#pragma once

#include <string>

#include "analyze/model/gate/comparison.h"
#include "analyze/render/document.h"

namespace tailcap::report {

render::Tone tone_of(model::gate::GateVerdict verdict);

std::string route_text(const model::gate::RouteName& name);  // "POST /pay", "shop POST /pay", "POST /pay, as called"
std::string account_text(std::size_t account);               // "a lock of the program"

// "12.3 ms", "0.40 %", "2.00", "1.23 kB".
std::string value_text(const model::gate::Metric& metric, double value);
// "+12.3 %", "+5.00 ms", "+0.40 pt", "+1".
std::string change_text(const model::gate::Metric& metric, double change);
// The same of an estimate: "≥ +3.1 %" where the new side is a lower bound.
std::string difference_text(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate);
// "+8.1 % … +16.6 %"; "exact".
std::string interval_text(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate);

std::string gate_text(const model::gate::GateResult& gate);  // "p99 > +10 %"
// Which label or call moved: "the slowest 1 % take +40 ms, of it +35 ms …". Empty: nothing is sure.
std::string why_text(const model::gate::RouteComparison& route, const model::gate::Metric& metric);
// A whole sentence about a gate: what was found, and why it is so, or what is missing.
std::string gate_sentence(const model::gate::Comparison& comparison, const model::gate::GateResult& gate);
// "fail: 1 of 6 gates", …
std::string verdict_text(const model::gate::Comparison& comparison);

}  // namespace tailcap::report
