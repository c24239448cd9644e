#include "analyze/report/study/shapes.h"

namespace tailcap::report::study {
namespace {

using model::CallStudy;
using model::ContextFault;
using model::DeadlineMiss;

using Status = std::pair<int, std::uint64_t>;

auto causes_of(const CallStudy& c) {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (const auto& [cause, n] : c.causes)
    out.emplace_back(cause == model::GrpcCause::unknown ? "unknown" : model::name_of(cause), n);
  return Map<decltype(out)>{std::move(out)};
}

// One end of a call that missed its deadline: a row of the table.
struct CallEnd {
  std::uint32_t row;
};
std::optional<CallEnd> end_of(const DeadlineMiss& miss, const Context& c, model::Role role) {
  if (c.table.rows[miss.row].role == role) return CallEnd{miss.row};
  return miss.peer ? std::optional(CallEnd{*miss.peer}) : std::nullopt;
}
formats::Time time_of_end(const CallEnd& end, const Context& c) {
  const auto row = c.table.rows[end.row];
  if (!formats::known(row.start) || !(row.has_duration || row.reset_after >= 0)) return formats::kNoTime;
  return row.start + (row.has_duration ? row.duration : formats::Duration{row.reset_after});
}

const StudyShape<Status> kStatus{
    "status",
    {
        {"grpc_status", &Status::first},
        {"name", [](auto& s) { return OrNull{std::string_view(model::grpc_status_name(s.first))}; }},
        {"count", &Status::second},
    }};

const StudyShape<CallEnd> kCallEnd{
    "call_end",
    {
        {"id", [](auto& e, auto& c) { return c.table.rows[e.row].id; }},
        {"begin_ns", [](auto& e, auto& c) { return c.table.rows[e.row].start; }},
        {"end_ns", time_of_end},
        {"outcome", [](auto& e, auto& c) { return model::name_of(c.table.rows[e.row].outcome); }},
    }};

const StudyShape<DeadlineMiss> kMiss{
    "miss",
    {
        {"timeout_ns", [](auto& m, auto& c) { return c.table.rows[m.row].grpc.timeout; }},
        {"client", kCallEnd, [](auto& m, auto& c) { return end_of(m, c, model::Role::client); }},
        {"server", kCallEnd, [](auto& m, auto& c) { return end_of(m, c, model::Role::server); }},
    }};

const StudyShape<ContextFault> kFault{
    "fault",
    {
        {"id", &ContextFault::id},
        {"stream", &ContextFault::stream},
        {"what", [](auto& f) { return f.late ? "late" : "missing"; }, "", {.values = {"late", "missing"}}},
    }};

}  // namespace

const StudyShape<CallStudy>& calls_shape() {
  static const StudyShape<CallStudy> shape{
      "calls",
      {
          {"statuses", kStatus, &CallStudy::statuses, "ascending"},
          {"cancelled", &CallStudy::cancelled, "by the client, without a status"},
          {"without_status", &CallStudy::without_status, "broken off, unfinished, not seen"},
          {"unimplemented", causes_of, "calls by cause"},
          {"request_messages", &CallStudy::request_messages},
          {"response_messages", &CallStudy::response_messages},
          {"messages_exact", &CallStudy::messages_exact, "false: at least"},
          {"with_deadline", &CallStudy::with_deadline},
          {"deadline_met", &CallStudy::met},
          {"deadline_missed", &CallStudy::missed},
          {"deadline_abandoned", &CallStudy::abandoned},
          {"deadline_unknown", &CallStudy::deadline_unknown},
          {"missed", kMiss, &CallStudy::misses, "the first of them"},
          {"trace_context_in_head", &CallStudy::context_head},
          {"trace_context_missing", &CallStudy::context_missing},
          {"trace_context_late", &CallStudy::context_late},
          {"trace_context_violations", kFault, &CallStudy::context_faults, "the first of them"},
      }};
  return shape;
}

}  // namespace tailcap::report::study
