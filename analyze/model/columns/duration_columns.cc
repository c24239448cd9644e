#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

ColumnValue wall_time_of(const ColumnFacts& f) {
  if (!f.clock || !f.clock->known() || !formats::known(f.row.start)) return {};
  return f.clock->realtime(f.row.start);
}

constexpr RequestColumn kDurationColumns[] = {
    column("start_ns", ColumnType::number, Unit::since_1970,
           "when its first byte arrived (server) or was sent (client)", wall_time_of)
        .needing(kClock)
        .of_the_whole()
        .sql("start_ns", 6)
        .clickhouse("start_ns", 5, "Nullable(UInt64)"),
    duration("duration_ns", "from the start until the last byte of the response was sent (server) or read (client)",
             [](const ColumnFacts& f) { return number_if(f.row.has_duration, f.row.duration.count()); })
        .in_short("duration")
        .sql("dur", 4)
        .clickhouse("duration_ns", 18, "Nullable(UInt64)")
        .log_line("duration_ns", 11),
    duration("duration_at_least_ns", "lower bound of the duration where the beginning was not seen or it broke off",
             [](const ColumnFacts& f) { return not_negative(f.row.at_least); })
        .in_short("duration_at_least")
        .sql("dur_at_least", 5),
    duration("first_byte_ns",
             "from the start until the first byte of the final response was sent (server) or arrived (client)",
             [](const ColumnFacts& f) { return not_negative(f.row.first_byte.count()); })
        .in_short("first_byte")
        .sql("first_byte_ns", 7)
        .clickhouse("first_byte_ns", 19, "Nullable(UInt64)"),
    duration("reset_ns", "from the start until its stream was reset; outcomes cancelled and reset only",
             [](const ColumnFacts& f) { return not_negative(f.row.reset_after); }),
    size("request_bytes", "body of the request after transfer decoding, content coding kept",
         [](const ColumnFacts& f) { return not_negative(f.row.request_bytes); })
        .sql("request_bytes", 21)
        .clickhouse("request_bytes", 23, "Nullable(UInt64)"),
    size("response_bytes", "body of the response, likewise",
         [](const ColumnFacts& f) { return not_negative(f.row.response_bytes); })
        .sql("response_bytes", 22)
        .clickhouse("response_bytes", 24, "Nullable(UInt64)"),
};

}  // namespace

std::span<const RequestColumn> duration_columns() { return kDurationColumns; }

}  // namespace tailcap::model::columns
