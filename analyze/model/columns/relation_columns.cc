#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

ValueNames confidences() { return {"certain", "likely"}; }
ValueNames methods() { return names_up_to<CauseMethod::message>(); }
ValueNames evidences() {
  ValueNames out = names_up_to<AttemptEvidence::unanswered>();
  out.erase(out.begin());  // none
  return out;
}

ColumnValue confidence_of(const ColumnFacts& f) {
  const Cause* const cause = f.row.cause;
  if (!cause || cause->parent.connection == 0) return {};
  return std::string_view(cause->certain ? "certain" : "likely");
}
ColumnValue ways(const ColumnFacts& f, Duration Split::*part) {
  return f.split ? ColumnValue{std::int64_t{(f.split->*part).count()}} : ColumnValue{};
}

constexpr RequestColumn kRelationColumns[] = {
    text("parent", "of a client the request on whose behalf it was made",
         [](const ColumnFacts& f) { return f.row.cause ? id_of(f, f.row.cause->parent) : ColumnValue{}; })
        .at_its_end()
        .sql("parent_request_id", 37)
        .clickhouse("parent_request_id", 25, "String"),
    text("parent_how", "how that is known",
         [](const ColumnFacts& f) {
           return f.row.cause ? name_or_unknown(name_of(f.row.cause->method)) : ColumnValue{};
         })
        .one_of(methods)
        .at_its_end()
        .sql("parent_how", 53),
    text("parent_confidence", "how certain that is", confidence_of)
        .one_of(confidences)
        .at_its_end()
        .sql("parent_confidence", 54),
    number("parent_alternatives", "other requests that could be meant; without parent: how many could",
           [](const ColumnFacts& f) {
             return f.row.cause ? ColumnValue{std::int64_t{f.row.cause->alternatives}} : ColumnValue{};
           })
        .at_its_end()
        .sql("parent_alternatives", 55),
    text("parent_unknown", "events_lost: events are missing that would tell which request made it",
         [](const ColumnFacts& f) {
           return f.row.cause && f.row.cause->lost ? ColumnValue{std::string_view("events_lost")} : ColumnValue{};
         })
        .at_its_end()
        .omitted_where(RequestColumn::Omitted::unknown)
        .sql("parent_unknown", 56),
    text("peer", "the same request at the other end", [](const ColumnFacts& f) { return id_of(f, f.row.peer); })
        .at_its_end()
        .sql("peer_request_id", 38)
        .clickhouse("peer_request_id", 26, "String"),
    duration("split.out_ns", "of a client: time on the way to the server",
             [](const ColumnFacts& f) { return ways(f, &Split::out); })
        .needing(kSplit)
        .at_its_end()
        .sql("split_out_ns", 70),
    duration("split.server_ns", "of a client: time at the server",
             [](const ColumnFacts& f) { return ways(f, &Split::server); })
        .needing(kSplit)
        .at_its_end()
        .sql("split_server_ns", 71),
    duration("split.back_ns", "of a client: time on the way back",
             [](const ColumnFacts& f) { return ways(f, &Split::back); })
        .needing(kSplit)
        .at_its_end()
        .sql("split_back_ns", 72),
    duration("split.error_ns", "how wrong the two ways can be, because of the clocks of two machines",
             [](const ColumnFacts& f) { return f.split ? not_negative(f.split->error) : ColumnValue{}; })
        .needing(kSplit)
        .at_its_end()
        .sql("split_error_ns", 73),
    number("attempt", "which try of one call it is, from 1; unknown where there is no other",
           [](const ColumnFacts& f) { return not_zero(f.row.attempt); })
        .at_its_end()
        .sql("attempt", 39),
    text("attempt_of", "the first attempt", [](const ColumnFacts& f) { return id_of(f, f.row.attempt_of); })
        .at_its_end()
        .sql("attempt_of_request_id", 57),
    text("attempt_how", "how it is known that it is an attempt",
         [](const ColumnFacts& f) {
           return f.row.attempt == 0 ? ColumnValue{} : ColumnValue{name_of(f.row.attempt_how)};
         })
        .one_of(evidences)
        .at_its_end()
        .sql("attempt_how", 58),
};

}  // namespace

std::span<const RequestColumn> relation_columns() { return kRelationColumns; }

}  // namespace tailcap::model::columns
