#include "analyze/spans/identities.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "analyze/model/trace/trace_identity.h"

namespace tailcap::spans {
namespace {

using model::ExchangeId;
using model::Request;
using model::Role;
using model::SpanContext;

class Resolver {
 public:
  Resolver(const model::RequestTable& table, std::vector<ForeignSpan>& foreign) : table_(table), foreign_(foreign) {}

  Identities run() {
    const std::size_t n = table_.rows.size();
    out_.rows.resize(n);
    facts_.resize(n);
    candidates_.resize(table_.causes.size() > 0 ? n : 0);
    out_.by_id.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) out_.by_id.emplace_back(table_.rows.id(i), i);
    std::sort(out_.by_id.begin(), out_.by_id.end());
    for (std::uint32_t i = 0; i < foreign_.size(); ++i) {
      foreign_ids_.emplace(key_of(foreign_[i].context), i);
      if (foreign_[i].server && foreign_[i].parent != 0)
        by_parent_[key_of(with_span(foreign_[i].context, foreign_[i].parent))].push_back(i);
    }
    for (std::uint32_t i = 0; i < n; ++i) read(i);
    for (std::uint32_t i = 0; i < n; ++i) name_by_wire(i);
    for (auto i = static_cast<std::uint32_t>(candidates_.size()); i-- > 0;) learn_from_calls(i);
    for (std::uint32_t i = 0; i < n; ++i) complete(i);
    if (!foreign_.empty()) be_foreign();
    for (std::uint32_t i = 0; i < n; ++i) set_parent(i);
    return std::move(out_);
  }

 private:
  struct Facts {
    SpanContext wire;  // span: the sender's; trace 0: none
    std::string_view format;
    std::uint32_t peer = Identity::kNone, cause = Identity::kNone;
    bool certain = false;
    Role role = Role::server;
  };
  struct Candidate {  // trace of the calls that a request made
    SpanContext trace;
    bool several = false;
  };

  static SpanContext with_span(SpanContext c, std::uint64_t span) {
    c.span = span;
    return c;
  }

  void read(std::uint32_t i) {
    const Request row = table_.rows[i];
    Facts& f = facts_[i];
    f.role = row.role;
    if (row.peer.connection != 0) f.peer = out_.row_of(row.peer);
    if (const model::Cause* cause = table_.causes.find(row.id); cause && cause->parent.connection != 0) {
      f.cause = out_.row_of(cause->parent);
      f.certain = cause->certain;
    }
    const std::string_view sent = table_.texts[row.traceparent];
    if (!model::set_trace(f.wire, model::trace_id_in(sent))) return;
    f.wire.span = model::id_of_hex(model::span_id_in(sent)).value_or(0);
    f.wire.flags = static_cast<std::uint8_t>(std::max(0, model::trace_flags_in(sent)));
    f.format = model::name_of(row.trace_format);
    if (f.role == Role::server && !by_parent_.empty()) ++served_[key_of(f.wire)];
  }

  void name_by_wire(std::uint32_t i) {
    const Facts& f = facts_[i];
    Identity& id = out_.rows[i];
    if (f.wire.has_trace()) {
      assign(i, f.wire, f.format);
      // The first that sent this header is the span that it names.
      if (f.role == Role::client && f.wire.span != 0 && used_.insert(key_of(f.wire)).second) {
        id.context.span = f.wire.span;
        id.span_source = f.format;
        if (const auto at = foreign_ids_.find(key_of(f.wire));
            at != foreign_ids_.end() && !foreign_[at->second].server) {
          id.foreign = static_cast<std::int32_t>(at->second);
          ++foreign_[at->second].matched;
        }
      }
    }
    if (id.context.span == 0) {
      id.context.span = model::synthetic_span(table_, table_.rows.id(i), 3);
      id.span_source = model::kSynthetic;
    }
  }

  void assign(std::uint32_t i, const SpanContext& trace, std::string_view source) {
    Identity& id = out_.rows[i];
    if (id.context.has_trace()) return;
    id.context.trace_high = trace.trace_high;
    id.context.trace_low = trace.trace_low;
    id.context.flags = trace.flags;
    id.trace_source = source;
    const Facts& f = facts_[i];
    if (f.role == Role::client && f.cause != Identity::kNone && f.certain) {
      Candidate& c = candidates_[f.cause];
      if (c.trace.has_trace() && !same_trace(c.trace, trace)) c.several = true;
      c.trace = trace;
    }
    if (f.peer != Identity::kNone && f.peer != i) assign(f.peer, trace, "other end");
  }

  static bool same_trace(const SpanContext& a, const SpanContext& b) {
    return a.trace_high == b.trace_high && a.trace_low == b.trace_low;
  }

  // From the last to the first: the callee begins later.
  void learn_from_calls(std::uint32_t i) {
    const Candidate& c = candidates_[i];
    if (c.trace.has_trace() && !c.several) assign(i, c.trace, "calls");
  }

  void complete(std::uint32_t i, int depth = 0) {
    Identity& id = out_.rows[i];
    if (id.context.has_trace()) return;
    const Facts& f = facts_[i];
    // A request at its serving end, before its caller was looked at: a send is stamped when it returns.
    if (f.role == Role::server && f.peer != Identity::kNone && depth < 2) {
      complete(f.peer, depth + 1);
      if (id.context.has_trace()) return;
    }
    if (f.role == Role::client && f.cause != Identity::kNone && f.cause != i) {
      if (depth < 2) complete(f.cause, depth + 1);
      if (out_.rows[f.cause].context.has_trace()) return assign(i, out_.rows[f.cause].context, "caller");
    }
    const auto [high, low] = model::synthetic_trace(table_, table_.rows.id(i));
    assign(i, {high, low, 0, 0}, model::kSynthetic);
  }

  void be_foreign() {
    const auto n = static_cast<std::uint32_t>(facts_.size());
    for (std::uint32_t i = 0; i < n; ++i) be_foreign_server(i);
    for (std::uint32_t i = 0; i < n; ++i) note_hole(i);
    for (std::uint32_t i = 0; i < n; ++i) fill_hole(i);
  }

  // A program's own span of what it serves has the parent that the header named.
  void be_foreign_server(std::uint32_t i) {
    const Facts& f = facts_[i];
    if (f.role != Role::server || f.wire.span == 0 || by_parent_.empty()) return;
    const auto at = by_parent_.find(key_of(f.wire));
    if (at == by_parent_.end() || at->second.size() != 1) return;
    const std::uint32_t n = at->second.front();
    if (served_[key_of(f.wire)] != 1) return;  // several requests have the same header: the right one is not known
    ++foreign_[n].matched;
    out_.rows[i].foreign = static_cast<std::int32_t>(n);
    out_.rows[i].context.span = foreign_[n].context.span;
    out_.rows[i].span_source = "imported";
  }

  // The span of a server that was not exported: its calls' spans, which were, all name it as their parent.
  void note_hole(std::uint32_t i) {
    const Facts& f = facts_[i];
    const Identity& call = out_.rows[i];
    if (f.role != Role::client || call.foreign < 0 || f.cause == Identity::kNone) return;
    const std::uint64_t parent = foreign_[static_cast<std::size_t>(call.foreign)].parent;
    const auto [at, is_new] = named_.try_emplace(f.cause, parent);
    if (!f.certain || (!is_new && at->second != parent)) at->second = 0;
  }

  void fill_hole(std::uint32_t i) {
    const Facts& f = facts_[i];
    const Identity& call = out_.rows[i];
    if (f.role != Role::client || call.foreign < 0 || f.cause == Identity::kNone || !f.certain) return;
    const ForeignSpan& told = foreign_[static_cast<std::size_t>(call.foreign)];
    Identity& server = out_.rows[f.cause];
    if (told.parent == 0 || named_[f.cause] != told.parent || server.foreign >= 0 ||
        !same_trace(server.context, told.context))
      return;
    const SpanContext hole = key_of(with_span(told.context, told.parent));
    if (foreign_ids_.count(hole) > 0 || !used_.insert(hole).second) return;
    server.context.span = told.parent;
    server.span_source = "calls";
  }

  void set_parent(std::uint32_t i) {
    const Facts& f = facts_[i];
    Identity& id = out_.rows[i];
    const auto below = [&](std::uint32_t row, ParentHow how) {
      id.parent = out_.rows[row].context.span;
      id.parent_how = how;
      id.parent_row = row;
    };
    if (id.foreign >= 0) {
      id.parent = foreign_[static_cast<std::size_t>(id.foreign)].parent;
      id.parent_how = id.parent != 0 ? ParentHow::wire : ParentHow::none;
      return;
    }
    if (f.role == Role::server) {
      if (f.peer != Identity::kNone && f.peer != i && same_trace(out_.rows[f.peer].context, id.context))
        below(f.peer, ParentHow::other_end);
      else if (f.wire.span != 0) {
        id.parent = f.wire.span;
        id.parent_how = ParentHow::wire;
      }
      return;
    }
    if (f.cause != Identity::kNone && f.cause != i) {
      if (same_trace(out_.rows[f.cause].context, id.context)) {
        below(f.cause, ParentHow::cause);
        id.parent_certain = f.certain;
      } else
        id.link = f.cause;
    }
    // A header that was passed on: what it names is above this request, though perhaps not next to it.
    if (id.parent == 0 && f.wire.span != 0 && id.context.span != f.wire.span)
      id.parent = f.wire.span, id.parent_how = ParentHow::wire;
  }

  const model::RequestTable& table_;
  std::vector<ForeignSpan>& foreign_;
  Identities out_;
  std::vector<Facts> facts_;
  std::vector<Candidate> candidates_;  // by row; none where no request is known to have made another
  std::unordered_set<SpanContext, ContextHash> used_;
  std::unordered_map<SpanContext, std::uint32_t, ContextHash> foreign_ids_;
  std::unordered_map<SpanContext, std::vector<std::uint32_t>, ContextHash> by_parent_;
  std::unordered_map<std::uint32_t, std::uint64_t>
      named_;  // by row: what the spans of its calls name as their parent; 0: not one
  std::unordered_map<SpanContext, std::uint32_t, ContextHash>
      served_;  // requests at their serving end, by what their header named
};

}  // namespace

std::uint32_t Identities::row_of(ExchangeId id) const {
  const auto at = std::lower_bound(by_id.begin(), by_id.end(), std::pair{id, 0u});
  return at != by_id.end() && at->first == id ? at->second : Identity::kNone;
}

Identities identities_of(const model::RequestTable& table, std::vector<ForeignSpan>& foreign) {
  return Resolver(table, foreign).run();
}

}  // namespace tailcap::spans
