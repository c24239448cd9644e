#include "analyze/spans/wait_spans.h"

#include <algorithm>
#include <string>

#include "analyze/model/label_group.h"
#include "analyze/model/trace/trace_identity.h"
#include "formats/machine.h"

namespace tailcap::spans {
namespace {

using model::LabelledStretch;

constexpr std::uint64_t kFirstWait = 1000;  // number of the made-up span id of a request's first wait

bool is_wait(const LabelledStretch& s) {
  return model::group_of(s.label) != model::LabelGroup::cpu && s.to - s.from >= kLeastWait;
}

model::Span wait_span(const LabelledStretch& s, const Clocked& clock) {
  model::Span span;
  span.name = model::text_of(s.label);
  span.start = clock.unix_time(s.from);
  span.end = clock.unix_time(s.to);
  auto& a = span.attributes;
  a.set("tailcap.label", model::name_of(s.label));
  a.set("tailcap.evidence", model::name_of(s.evidence));
  a.set("tailcap.duration_ns", std::int64_t{(s.to - s.from).count()});
  if (s.culprit.request.connection != 0)
    a.set("tailcap.blocker.request",
          std::to_string(s.culprit.request.connection) + "." + std::to_string(s.culprit.request.index));
  if (s.culprit.tid != 0) a.set("tailcap.blocker.thread", std::int64_t{formats::number_of(s.culprit.tid)});
  a.set("tailcap.span_id_source", model::kSynthetic);
  return span;
}

}  // namespace

std::uint64_t add_waits(const model::RequestTable& table, const model::Request& row, const model::Course& course,
                        const model::SpanContext& parent, const Clocked& clock, std::vector<model::Span>& out) {
  std::vector<std::size_t> waits;
  for (std::size_t i = 0; i < course.stretches.size(); ++i)
    if (is_wait(course.stretches[i])) waits.push_back(i);
  const std::size_t all = waits.size();
  if (all > kMostWaits) {
    std::ranges::stable_sort(waits, std::ranges::greater{},
                             [&](std::size_t i) { return course.stretches[i].to - course.stretches[i].from; });
    waits.resize(kMostWaits);
    std::ranges::sort(waits);
  }
  for (const std::size_t i : waits) {
    model::Span span = wait_span(course.stretches[i], clock);
    span.context = parent;
    span.context.span = model::synthetic_span(table, row.id, kFirstWait + i);
    span.parent = parent.span;
    out.push_back(std::move(span));
  }
  return all - waits.size();
}

}  // namespace tailcap::spans
