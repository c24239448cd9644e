#include "analyze/causes/losses.h"

#include <algorithm>

namespace tailcap::causes {

using formats::Time;

void Losses::push(const formats::Event& event) {
  Span span{formats::kNoTime, event.time};
  std::size_t kind = kUnknown;
  if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    span.from = loss->since;
    if (loss->kind < formats::kKinds) kind = loss->kind;
  } else if (const auto* damage = std::get_if<formats::Damage>(&event.body)) {
    span.from = damage->since;
  } else {
    return;
  }
  // An unknown beginning: everything until then.
  if (span.from > span.to) span.from = Time{};
  span.to = std::min(formats::kMaxTime - kSlack, span.to) + kSlack;
  auto& spans = spans_[kind];
  if (spans.size() >= kMaxSpans) {
    spans.back().to = std::max(spans.back().to, span.to);
    span.from = std::min(span.from, spans.back().from);
  }
  // Merged captures may report losses out of order.
  while (!spans.empty() && span.from <= spans.back().to) {
    span = {std::min(span.from, spans.back().from), std::max(span.to, spans.back().to)};
    spans.pop_back();
  }
  spans.push_back(span);
}

void Losses::of_some_only(Kinds kinds) {
  for (std::size_t kind = 0; kind < kUnknown; ++kind)
    if (kinds >> kind & 1) spans_[kind] = {{Time{}, formats::kMaxTime}};
}

bool Losses::any(Time from, Time to, Kinds kinds) const {
  for (std::size_t kind = 0; kind <= kUnknown; ++kind) {
    if (kind != kUnknown && (kinds >> kind & 1) == 0) continue;
    const auto& spans = spans_[kind];
    const auto after =
        std::upper_bound(spans.begin(), spans.end(), to, [](Time t, const Span& s) { return t < s.from; });
    if (after != spans.begin() && std::prev(after)->to >= from) return true;
  }
  return false;
}

}  // namespace tailcap::causes
