#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"
#include "analyze/model/wire/tls.h"

namespace tailcap::model::columns {
namespace {

ColumnValue began_before(const ColumnFacts& f) {
  if (!f.row.setup) return {};
  const Time began = f.row.setup->began();
  const bool placed = formats::known(began) && formats::known(f.row.start);
  return number_if(placed, placed ? (f.row.start - began).count() : 0);
}
ColumnValue part_of_setup(const ColumnFacts& f, Duration (Setup::*part)() const) {
  return f.row.setup ? not_negative((f.row.setup->*part)().count()) : ColumnValue{};
}
bool looked_up(const ColumnFacts& f) { return f.row.setup && f.row.setup->dns().count() >= 0; }

constexpr RequestColumn kSetupColumns[] = {
    duration("setup.began_before_ns", "from the beginning of the connection's set-up until the request's start",
             began_before)
        .at_its_end()
        .sql("setup_began_before_ns", 59),
    duration("setup.dns_ns", "the look-up of the server's name",
             [](const ColumnFacts& f) { return part_of_setup(f, &Setup::dns); })
        .in_short("dns")
        .at_its_end()
        .sql("dns_ns", 60),
    text("setup.dns_name", "the name that was looked up",
         [](const ColumnFacts& f) { return looked_up(f) ? text_of(f, f.row.setup->dns_name) : ColumnValue{}; })
        .at_its_end()
        .sql("dns_name", 61),
    number("setup.dns_attempts", "how often one question was asked, at most",
           [](const ColumnFacts& f) {
             return looked_up(f) ? ColumnValue{std::int64_t{f.row.setup->dns_attempts}} : ColumnValue{};
           })
        .at_its_end()
        .sql("dns_attempts", 62),
    duration("setup.connect_ns", "from connect() until the connection was established",
             [](const ColumnFacts& f) { return part_of_setup(f, &Setup::connect); })
        .in_short("connect")
        .at_its_end()
        .sql("connect_ns", 63),
    duration("setup.tls_ns", "the TLS handshake", [](const ColumnFacts& f) { return part_of_setup(f, &Setup::tls); })
        .in_short("tls_handshake")
        .at_its_end()
        .sql("tls_handshake_ns", 64),
    boolean("setup.tls_exact", "whether the end of the handshake was seen; otherwise it is inferred",
            [](const ColumnFacts& f) {
              return boolean_if(f.row.setup && f.row.setup->tls().count() >= 0, f.row.setup && f.row.setup->tls_exact);
            })
        .at_its_end()
        .sql("tls_exact", 65),
    text("setup.tls_version", "version of TLS",
         [](const ColumnFacts& f) {
           return f.row.setup ? made_or_unknown(f, tls_version(f.row.setup->tls_version)) : ColumnValue{};
         })
        .at_its_end()
        .sql("tls_version", 66),
    text("setup.tls_cipher", "cipher suite",
         [](const ColumnFacts& f) {
           return f.row.setup ? made_or_unknown(f, tls_cipher(f.row.setup->tls_cipher)) : ColumnValue{};
         })
        .at_its_end()
        .sql("tls_cipher", 67),
    text("setup.tls_server_name", "the server name (SNI) that the client sent",
         [](const ColumnFacts& f) { return f.row.setup ? text_of(f, f.row.setup->tls_server_name) : ColumnValue{}; })
        .at_its_end()
        .sql("tls_server_name", 68),
    boolean("setup.tls_resumed", "whether an earlier session was resumed",
            [](const ColumnFacts& f) {
              const bool known = f.row.setup && f.row.setup->tls_resumed;
              return boolean_if(known, known && *f.row.setup->tls_resumed);
            })
        .at_its_end()
        .sql("tls_resumed", 69),
    text("local", "endpoint of this end", [](const ColumnFacts& f) { return text_of(f, f.local); })
        .needing(kEnds)
        .at_its_end()
        .sql("local", 35)
        .clickhouse("local", 21, "String"),
    text("remote", "endpoint of the other end", [](const ColumnFacts& f) { return text_of(f, f.remote); })
        .needing(kEnds)
        .at_its_end()
        .sql("remote", 36)
        .clickhouse("remote", 22, "String"),
    nested("request_headers", "with --headers: the header fields, as pairs of name and value").at_its_end(),
    nested("response_headers", "with --headers: those of the response").at_its_end(),
    nested("request_trailers", "with --headers: fields behind the body").at_its_end(),
    nested("response_trailers", "with --headers: those of the response").at_its_end(),
};

}  // namespace

std::span<const RequestColumn> setup_columns() { return kSetupColumns; }

}  // namespace tailcap::model::columns
