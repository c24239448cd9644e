// The parts of `report --json`, one function each. They are made when they are first asked for, since they point to
// each other.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report::study {

struct Context {
  const model::Study& study;
  const model::RequestTable& table;
  const model::WallClock& clock;

  Context(const model::Study& of, const model::RequestTable& with) : study(of), table(with), clock(of.quality.clock) {}
  // As in `requests --json`, without what only that knows: header fields.
  std::string request(std::uint32_t row) const;
};

template <class T>
using StudyShape = Shape<T, Context>;

// An estimate for all connections; of: 1, or the number of seconds for a rate.
struct Scaled {
  const model::Estimate& estimate;
  double of;
};
inline std::optional<Scaled> scaled(const std::optional<model::Estimate>& estimate, double of) {
  return estimate && of > 0 ? std::optional(Scaled{*estimate, of}) : std::nullopt;
}

const StudyShape<Scaled>& estimate_shape();
const StudyShape<model::Quality>& quality_shape();
const StudyShape<model::CulpritStudy>& culprit_shape();
const StudyShape<model::Verdict>& verdict_shape();
const StudyShape<model::CpuShortage>& shortage_shape();
const StudyShape<model::TailStudy>& tail_shape();
const StudyShape<model::CallStudy>& calls_shape();
const StudyShape<model::LoadStudy>& load_shape();
const StudyShape<model::Arrivals>& arrivals_shape();
const StudyShape<model::RouteStudy>& route_shape();
const StudyShape<model::TlsPeer>& tls_shape();
const StudyShape<model::ListenQueue>& queue_shape();
const StudyShape<model::NameStudy>& name_shape();
const StudyShape<model::GoStudy>& go_shape();
const StudyShape<model::Incident>& incident_shape();
const StudyShape<model::ChangeStudy>& changes_shape();
const StudyShape<model::Health>& health_shape();
const StudyShape<model::Trigger>& trigger_shape();

// More digits would only be noise.
inline double share(double value) { return std::round(value * 1e6) / 1e6; }

}  // namespace tailcap::report::study
