#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"
#include "analyze/model/columns/store_names.h"

namespace tailcap::model::columns {
namespace {

ColumnValue with_operation(const ColumnFacts& f, TextId text) {
  return has_operation(f.row.protocol) ? text_of(f, text) : ColumnValue{};
}

constexpr RequestColumn kStoreColumns[] = {
    text("operation",
         "what a call of a store does: SELECT, GET, PUBLISH; CONNECT, HANDSHAKE, LOOKUP: a set-up that failed",
         [](const ColumnFacts& f) { return with_operation(f, f.row.method); })
        .sql("operation", 74)
        .clickhouse("operation", 28, "String"),
    text("resource",
         "the first table of its statement, the shape of its first key, subject or topic; of a set-up, the endpoint or "
         "name",
         [](const ColumnFacts& f) {
           if (!has_statements(f.row.protocol)) return with_operation(f, f.row.path);
           return made_or_unknown(f, resource_of(f.row.protocol, f.text(f.row.method), f.text(f.row.path)));
         })
        .sql("resource", 75)
        .clickhouse("resource", 29, "String"),
    text("statement", "its SQL; each literal is a question mark",
         [](const ColumnFacts& f) {
           return made_or_unknown(f, statement_of(f.row.protocol, f.text(f.row.method), f.text(f.row.path)));
         })
        .sql("statement", 76)
        .clickhouse("statement", 30, "String"),
    text("error_code", "the code that a store answered with: 42P01, WRONGTYPE; why a set-up failed: refused, NXDOMAIN",
         [](const ColumnFacts& f) { return with_operation(f, f.row.store.error_code); })
        .sql("error_code", 77)
        .clickhouse("error_code", 31, "String"),
    number("rows", "how many rows a statement returned or changed, where its answer says it",
           [](const ColumnFacts& f) {
             return number_if(is_store(f.row.protocol) && f.row.store.rows >= 0, f.row.store.rows);
           })
        .sql("rows", 78)
        .clickhouse("rows", 32, "Nullable(UInt64)"),
    boolean("asked_to_wait", "whether a call asked to wait for something: BLPOP, XREAD with BLOCK",
            [](const ColumnFacts& f) { return boolean_if(is_store(f.row.protocol), f.row.store.waits); })
        .sql("asked_to_wait", 79),
};

}  // namespace

std::span<const RequestColumn> store_columns() { return kStoreColumns; }

}  // namespace tailcap::model::columns
