#include "analyze/spans/spans.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "analyze/model/study/split.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/spans/describe.h"
#include "analyze/spans/setup_spans.h"
#include "analyze/spans/wait_spans.h"
#include "formats/machine.h"

namespace tailcap::spans {
namespace {

using formats::known;
using model::Request;
using model::Role;
using model::Span;

constexpr std::uint32_t kNone = Identity::kNone;
constexpr std::uint64_t kBelow = 7;  // number of the made-up span id of a request below somebody else's span
constexpr int kMaxAbove = 64;        // spans above one that are asked for its clock

// Requests of one tree have one distance to the wall clock, that of its root: a clock that is set in between moves none
// of them against another, and changes no duration.
class Offsets {
 public:
  Offsets(const Source& source, const Identities& ids) : source_(source), ids_(ids), roots_(ids.rows.size(), kNone) {}

  std::int64_t own(std::uint32_t row) const {
    const auto start = source_.table.rows.start(row);
    return source_.clock.realtime(start) - formats::nanoseconds(start);
  }
  std::int64_t of(std::uint32_t row) { return own(root(row)); }
  std::uint32_t root(std::uint32_t row) {
    std::uint32_t top = row;
    for (int n = 0; n < kMaxAbove; ++n) {
      if (roots_[top] != kNone) {
        top = roots_[top];
        break;
      }
      const std::uint32_t above = ids_.rows[top].parent_row;
      if (above == kNone || above == row || !known(source_.table.rows.start(above))) break;
      top = above;
    }
    roots_[row] = top;
    return top;
  }

 private:
  const Source& source_;
  const Identities& ids_;
  std::vector<std::uint32_t> roots_;  // by row, where it was asked for
};

class Maker {
 public:
  Maker(const Source& source, const Identities& ids, const Enrichment& enrichment, const Resources& resources)
      : source_(source),
        table_(source.table),
        ids_(ids),
        enrichment_(enrichment),
        resources_(resources),
        offsets_(source, ids) {}

  void add(std::uint32_t i) {
    const Request row = table_.rows[i];
    if (!known(row.start)) {
      ++counts_.not_placed;
      return;
    }
    ++counts_.requests;
    static const EndpointTexts kNowhere;
    const EndpointTexts& ends = row.id.connection < source_.ends.size() ? source_.ends[row.id.connection] : kNowhere;
    const Clocked clock{offsets_.of(i), source_.first};
    model::SpanResource& resource = resource_of(i, row, ends);
    Span span = span_of(i, row, ends, clock);
    const std::size_t before = resource.spans.size();
    add_setup(table_, row, ends, ids_.rows[i].context, clock, resource.spans);
    counts_.setup += resource.spans.size() - before;
    const model::SpanContext own = span.context;
    resource.spans.push_back(std::move(span));
    if (source_.waits) add_waits(row, own, clock, resource.spans);
    size_ += resource.spans.size() - before;
  }

  std::size_t size() const { return size_; }
  const Counts& counts() const { return counts_; }

  std::vector<model::SpanResource> take() {
    std::vector<model::SpanResource> out;
    for (auto& [process, resource] : by_process_) out.push_back(std::move(resource));
    by_process_.clear();
    size_ = 0;
    return out;
  }

 private:
  model::SpanResource& resource_of(std::uint32_t i, const Request& row, const EndpointTexts& ends) {
    const model::NamedService service = model::service_of(table_, row, ends.local, ends.remote);
    const std::tuple process{row.pid, table_.life(i, row.pid), service.name};
    const auto at = by_process_.find(process);
    if (at != by_process_.end()) return at->second;
    model::SpanResource& resource = by_process_[process];
    const formats::Time alive = row.has_duration ? row.start + row.duration : row.start;
    resource.attributes = resources_.of(row.pid, alive, service, source_.preamble, source_.clock);
    const std::int64_t own = (source_.clock_error + model::WallClock::kStep).count();
    const std::int64_t other = resources_.merged() ? clocks_.of(formats::machine_of(row.pid)) : 0;
    if (std::int64_t sum = 0; other >= 0 && !__builtin_add_overflow(own, other, &sum))
      resource.attributes.set("tailcap.clock.error_ns", sum);
    return resource;
  }

  Span span_of(std::uint32_t i, const Request& row, const EndpointTexts& ends, const Clocked& clock) {
    const Identity& id = ids_.rows[i];
    Span span;
    span.context = id.context;
    span.parent = id.parent;
    describe(table_, row, ends, span);
    declared_route(row, span);
    span.start = clock.unix_time(row.start);
    span.end = span.start;
    auto& a = span.attributes;
    if (row.has_duration) {
      span.end = clock.unix_time(row.start + row.duration);
    } else if (row.outcome == model::Outcome::in_flight && source_.last > row.start) {
      span.end = clock.unix_time(source_.last);
      a.set("tailcap.duration", "at least");
    } else {
      a.set("tailcap.duration", "unknown");
    }
    stepped(i, row, clock, a);
    a.set_known("net.iface.name", resources_.interface_of(ends));
    a.set("tailcap.trace_id_source", id.trace_source);
    a.set("tailcap.span_id_source", id.span_source);
    place(i, row, span);
    if (const auto state = std::lower_bound(source_.trace_states.begin(), source_.trace_states.end(),
                                            std::pair{row.id, model::TextId{0}});
        state != source_.trace_states.end() && state->first == row.id && id.trace_source != model::kSynthetic)
      span.trace_state = table_.texts[state->second];
    enrich(i, clock, span);
    if (source_.phases) add_phases(row, clock, span);
    return span;
  }

  void add_waits(const Request& row, const model::SpanContext& own, const Clocked& clock, std::vector<Span>& out) {
    const auto course = std::ranges::lower_bound(source_.courses, row.id, {}, &model::Course::request);
    if (course == source_.courses.end() || course->request != row.id) {
      counts_.without_waits += !table_.partitions.parts(row.id).empty();
      return;
    }
    const std::size_t before = out.size();
    counts_.waits_left_out += spans::add_waits(table_, row, *course, own, clock, out);
    counts_.waits += out.size() - before;
  }

  // A route that was learned is a guess at what the program calls it; one that the user declared is not.
  void declared_route(const Request& row, Span& span) const {
    const std::string_view route = table_.texts[row.route];
    if (model::is_call(row) ||
        std::find(source_.templates.begin(), source_.templates.end(), route) == source_.templates.end())
      return;
    span.attributes.set(row.role == Role::server ? "http.route" : "url.template", route);
  }

  static void add_phases(const Request& row, const Clocked& clock, Span& span) {
    if (!row.has_phases) return;
    formats::Time at = row.start;
    const auto names = model::phases_of(row.role);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (row.phases[i] > 0) {
        model::SpanEvent& event = span.events.emplace_back();
        event.time = clock.unix_time(at);
        event.name = "tailcap.phase." + std::string(model::name_of(names[i]));
        event.attributes.set("tailcap.phase.duration_ns", std::int64_t{row.phases[i]});
      }
      at += formats::Duration{row.phases[i]};
    }
    std::stable_sort(span.events.begin(), span.events.end(),
                     [](const auto& a, const auto& b) { return a.time < b.time; });
  }

  // The wall clock was set: what it said when this began is not what the span says, or it is not known what it said.
  void stepped(std::uint32_t i, const Request& row, const Clocked& clock, model::Attributes& a) {
    std::int64_t by = 0;
    if (!__builtin_sub_overflow(offsets_.own(i), clock.offset, &by) && by != 0)
      a.set("tailcap.clock.set_meanwhile_ns", by);
    const auto root = table_.rows.start(offsets_.root(i));
    const auto within = [](formats::Time t, const model::WallClock::Step& step) {
      return t > step.from && t <= step.to;
    };
    for (const auto& step : source_.clock.steps())
      if (within(row.start, step) || within(root, step))
        a.set("tailcap.clock.uncertain_ns", std::int64_t{step.by < 0 ? -step.by : step.by});
  }

  void place(std::uint32_t i, const Request& row, Span& span) {
    const Identity& id = ids_.rows[i];
    auto& a = span.attributes;
    if (id.foreign >= 0) {
      // Somebody else's span stays as it is.
      span.parent = id.context.span;
      span.context.span = model::synthetic_span(table_, row.id, kBelow);
      span.kind = model::SpanKind::internal;
      span.name += " (on the wire)";
      a.set("tailcap.inferred", true);
      a.set("tailcap.span_id_source", model::kSynthetic);
      a.set("tailcap.evidence",
            std::vector<std::string>{
                "request " + std::to_string(row.id.connection) + "." + std::to_string(row.id.index) +
                (row.role == Role::client ? " carries this span's id" : " carries the id of this span's parent")});
      ++counts_.below;
      return;
    }
    span.parent_remote = id.parent_how == ParentHow::wire || id.parent_how == ParentHow::other_end;
    if (id.span_source == "calls") {
      a.set("tailcap.inferred", true);
      a.set("tailcap.evidence",
            std::vector<std::string>{"imported spans of calls that this request made name it as their parent"});
    }
    const model::Cause* cause = row.role == Role::client ? table_.causes.find(row.id) : nullptr;
    switch (id.parent_how) {
      case ParentHow::wire:
        a.set("tailcap.parent.how", id.trace_source);
        break;
      case ParentHow::other_end:
        a.set("tailcap.parent.how", "other end");
        break;
      case ParentHow::cause:
        if (cause) a.set("tailcap.parent.how", model::name_of(cause->method));
        if (!id.parent_certain) a.set("tailcap.parent.confidence", "likely");
        break;
      case ParentHow::none:
        break;
    }
    if (cause && cause->parent.connection == 0) a.set("tailcap.parent.alternatives", std::int64_t{cause->alternatives});
    if (id.link != kNone) {
      model::SpanLink link{ids_.rows[id.link].context, {}};
      link.attributes.set("tailcap.link", "made by");
      if (cause && !cause->certain) link.attributes.set("tailcap.parent.confidence", "likely");
      span.links.push_back(std::move(link));
    }
  }

  void enrich(std::uint32_t i, const Clocked& clock, Span& span) const {
    const RowEvents* events = enrichment_.of(i);
    if (!events) return;
    if (events->waits > 0) {
      span.attributes.set("tailcap.off_cpu.count", static_cast<std::int64_t>(events->waits));
      span.attributes.set("tailcap.off_cpu.ns", std::int64_t{events->waited.count()});
    }
    span.events_left_out = events->left_out;
    for (const auto& event : events->events)
      span.events.push_back({clock.unix_time(event.time),
                             std::string(kRules[static_cast<std::size_t>(event.subject)].name), event.attributes});
  }

  const Source& source_;
  const model::RequestTable& table_;
  const Identities& ids_;
  const Enrichment& enrichment_;
  const Resources& resources_;
  Offsets offsets_;
  model::ClockErrors clocks_{source_.preamble};
  // By number, life and service, of which a process that is not known has several.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::string_view>, model::SpanResource> by_process_;
  std::size_t size_ = 0;
  Counts counts_;
};

}  // namespace

struct SpanMaker::Impl : Maker {
  using Maker::Maker;
};

SpanMaker::SpanMaker(const Source& source, const Identities& identities, const Enrichment& enrichment,
                     const Resources& resources)
    : impl_(std::make_unique<Impl>(source, identities, enrichment, resources)) {}
SpanMaker::~SpanMaker() = default;
void SpanMaker::add(std::uint32_t row) { impl_->add(row); }
std::size_t SpanMaker::size() const { return impl_->size(); }
std::vector<model::SpanResource> SpanMaker::take() { return impl_->take(); }
const Counts& SpanMaker::counts() const { return impl_->counts(); }

std::vector<bool> joined_to(const model::RequestTable& table, const Identities& identities, std::uint32_t row) {
  std::vector<std::vector<std::uint32_t>> beside(table.rows.size());
  const auto join = [&](std::uint32_t a, model::ExchangeId id) {
    const std::uint32_t b = id.connection == 0 ? kNone : identities.row_of(id);
    if (b != kNone) {
      beside[a].push_back(b);
      beside[b].push_back(a);
    }
  };
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    join(i, table.rows.peer(i));
    if (const model::Cause* cause = table.causes.find(table.rows.id(i))) join(i, cause->parent);
  }
  std::vector<bool> out(table.rows.size());
  std::vector<std::uint32_t> open = {row};
  out[row] = true;
  while (!open.empty()) {
    const std::uint32_t at = open.back();
    open.pop_back();
    for (const std::uint32_t next : beside[at])
      if (!out[next]) {
        out[next] = true;
        open.push_back(next);
      }
  }
  return out;
}

}  // namespace tailcap::spans
