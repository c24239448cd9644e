#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

bool windows_known(const ColumnFacts& f) { return f.row.request_flow_control >= 0 && f.row.response_flow_control >= 0; }

ValueNames facts_of_the_other_end() { return names_of_filled(UINT8_MAX); }

constexpr RequestColumn kStreamColumns[] = {
    duration("http2.flow_control_ns", "the sum of the next two",
             [](const ColumnFacts& f) {
               return number_if(windows_known(f), f.row.request_flow_control + f.row.response_flow_control);
             })
        .in_short("flow_control"),
    duration("http2.request_flow_control_ns", "how long the request's sender waited for a window of its receiver",
             [](const ColumnFacts& f) { return not_negative(f.row.request_flow_control); })
        .in_short("request_flow_control"),
    duration("http2.response_flow_control_ns", "how long the response's sender waited for a window of its receiver",
             [](const ColumnFacts& f) { return not_negative(f.row.response_flow_control); })
        .in_short("response_flow_control"),
    duration("http2.behind_others_ns", "upper bound: how long it waited behind the DATA of other streams",
             [](const ColumnFacts& f) { return number_if(windows_known(f), f.row.behind_others); })
        .in_short("behind_others"),
    size("http2.behind_others_bytes", "that DATA",
         [](const ColumnFacts& f) { return number_if(windows_known(f), f.row.behind_others_bytes); }),
    boolean("http2.opened_at_limit", "of a client: whether its stream was opened when another made room for it",
            [](const ColumnFacts& f) {
              return boolean_if(windows_known(f) && f.row.role == Role::client, f.row.stream_limit >= 0);
            }),
    duration("http2.stream_limit_ns", "upper bound: how long it waited for that before its start",
             [](const ColumnFacts& f) { return not_negative(f.row.stream_limit); })
        .in_short("stream_limit"),
    boolean("http2.pushed", "whether the server promised it without a request",
            [](const ColumnFacts& f) { return boolean_if(f.row.stream != 0, f.row.pushed); }),
    list(
        "http2.from_other_end", "facts that were unknown at this end and are those of the other end's record",
        [](const ColumnFacts& f) {
          const auto names = +[](std::uint32_t bits) { return names_of_filled(static_cast<std::uint8_t>(bits)); };
          return f.row.stream == 0 ? ColumnValue{} : ColumnValue{Flags{f.row.from_peer, names}};
        },
        facts_of_the_other_end),
};

}  // namespace

std::span<const RequestColumn> stream_columns() { return kStreamColumns; }

}  // namespace tailcap::model::columns
