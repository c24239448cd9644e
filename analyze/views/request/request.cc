#include "analyze/views/request/request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/views/flame/request_samples.h"

namespace tailcap::views {

void add_samples(const std::string& file, pipeline::Look& look) {
  flow::RequestDetail& own = look.detail->request;
  if (look.study.quality.samples > 0 && own.row.role == flow::Role::server && own.row.has_duration) {
    auto found = request_samples(file, {own.row.id});
    own.samples = found[own.row.id];
  }
  const bool made_to = std::any_of(look.study.go.begin(), look.study.go.end(),
                                   [&](const auto& go) { return go.pid == own.row.pid && go.preemptions > 0; });
  if (made_to && own.row.role == flow::Role::server && own.row.has_duration) {
    auto found = request_samples(file, {own.row.id}, formats::SampleKind::preempted);
    own.preempted = found[own.row.id];
  }
}

flow::Lanes lanes_around(const flow::Detail& detail, const std::string& file) {
  const auto& row = detail.request.row;
  if (!formats::known(row.start) || !row.has_duration) return {};
  formats::Time from = row.start, to = row.start + row.duration;
  std::vector<std::uint32_t> pids = {row.pid};
  const auto include = [&](const flow::Request& other) {
    if (!formats::known(other.start) || !other.has_duration) return;
    from = std::min(from, other.start);
    to = std::max(to, other.start + other.duration);
    if (other.pid != 0) pids.push_back(other.pid);
  };
  if (detail.peer) include(detail.peer->row);
  for (const auto& below : detail.below)
    if (below.row.pid != 0) pids.push_back(below.row.pid);
  const formats::Duration margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
  return pipeline::lanes_of(file, from - margin, to + margin, std::move(pids));
}

}  // namespace tailcap::views
