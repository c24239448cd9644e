#include "analyze/flame/trace_svg.h"

#include <algorithm>
#include <vector>

#include "analyze/flame/canvas.h"

namespace tailcap::flame {
namespace {

using formats::Time;
using model::TraceSpan;

constexpr double kLeast = 1;  // pixels: what took no time is seen all the same

std::string fill(const TraceSpan& span) {
  const int shade = shade_of(span.name);
  switch (span.kind) {
    case TraceSpan::Kind::failed:
      return colour(230, 90 + shade / 2, 90);
    case TraceSpan::Kind::made:
      return colour(120 + shade, 160 + shade, 235);
    case TraceSpan::Kind::served:
      break;
  }
  return colour(240, 170 + shade, 70 + shade / 2);
}

}  // namespace

std::string trace_svg(const model::TraceFlame& trace) {
  if (trace.spans.empty()) return canvas(trace.title, trace.subtitle, 1, {});
  // The rows of each level: until when each is taken.
  std::vector<std::vector<Time>> rows;
  std::vector<std::size_t> row_of(trace.spans.size());
  std::vector<std::size_t> by_begin(trace.spans.size());
  for (std::size_t i = 0; i < by_begin.size(); ++i) by_begin[i] = i;
  std::stable_sort(by_begin.begin(), by_begin.end(),
                   [&](std::size_t a, std::size_t b) { return trace.spans[a].begin < trace.spans[b].begin; });
  for (const std::size_t i : by_begin) {
    const TraceSpan& span = trace.spans[i];
    if (span.depth >= rows.size()) rows.resize(span.depth + 1);
    auto& level = rows[span.depth];
    const auto free = std::find_if(level.begin(), level.end(), [&](Time until) { return until <= span.begin; });
    row_of[i] = static_cast<std::size_t>(free - level.begin());
    if (free == level.end())
      level.push_back(span.begin + span.duration);
    else
      *free = span.begin + span.duration;
  }
  std::vector<std::size_t> first = {1};  // row of each level; 0 is that of everything
  for (const auto& level : rows) first.push_back(first.back() + std::max<std::size_t>(level.size(), 1));

  const Time begin = trace.spans[by_begin.front()].begin;
  const double wide = kWidth - 2 * kMargin, scale = wide / std::max(1.0, static_cast<double>(trace.length.count()));
  std::string frames =
      frame_svg(trace.title, trace.title + ": " + trace.subtitle, kMargin, kTop, wide, 0, colour(235, 235, 225));
  for (std::size_t i = 0; i < trace.spans.size(); ++i) {
    const TraceSpan& span = trace.spans[i];
    const double width = std::max(kLeast, static_cast<double>(span.duration.count()) * scale);
    const double x =
        std::min(kMargin + static_cast<double>((span.begin - begin).count()) * scale, kMargin + wide - width);
    frames += frame_svg(span.name, span.told, x, kTop + static_cast<double>(first[span.depth] + row_of[i]) * kFrame,
                        width, span.depth + 1, fill(span));
  }
  return canvas(trace.title, trace.subtitle, first.back(), frames);
}

}  // namespace tailcap::flame
