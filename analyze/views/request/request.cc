#include "analyze/views/request/request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/views/flame/request_samples.h"

namespace tailcap::views {

void add_samples(const std::string& file, pipeline::Look& look) {
  model::RequestDetail& own = look.detail->request;
  if (look.study.quality.samples > 0 && own.row.role == model::Role::server && own.row.has_duration) {
    auto found = request_samples(file, {own.row.id});
    own.samples = found[own.row.id];
  }
  const bool made_to = std::any_of(look.study.go.begin(), look.study.go.end(),
                                   [&](const auto& go) { return go.pid == own.row.pid && go.preemptions > 0; });
  if (made_to && own.row.role == model::Role::server && own.row.has_duration) {
    auto found = request_samples(file, {own.row.id}, formats::SampleKind::preempted);
    own.preempted = found[own.row.id];
  }
}

}  // namespace tailcap::views
