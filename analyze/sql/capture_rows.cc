#include "analyze/sql/capture_rows.h"

#include <string>
#include <unordered_map>

#include "formats/event.h"
#include "formats/fields/names.h"
#include "formats/machine.h"

namespace tailcap::sql {
namespace {

std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(n); }

// Nothing: not known.
template <formats::Named E>
std::string_view known_name(E value) {
  return value == E::unknown ? std::string_view{} : formats::name_of(value);
}

}  // namespace

void insert_connections(Database& database, std::span<const model::Connection> connections,
                        const model::RequestTable& table) {
  std::unordered_map<model::ConnectionId, std::int64_t> carried;
  for (std::size_t i = 0; i < table.rows.size(); ++i) ++carried[table.rows.id(i).connection];
  Inserter out(database, "connection");
  for (const model::Connection& c : connections) {
    const bool bound = c.family != formats::Family::unknown;  // a TLS session's socket may not be known
    const std::string local = bound ? model::endpoint(c, false) : "", remote = bound ? model::endpoint(c, true) : "";
    const auto requests = carried.find(c.id);
    out.integer(c.id);
    out.time(c.first_seen);
    out.time(c.closed);
    out.text_or_null(local);
    out.text_or_null(remote);
    out.text_or_null(known_name(c.family));
    out.text_or_null(known_name(c.origin));
    out.boolean(c.tls);
    out.integer_if(c.carrier != 0, c.carrier);
    out.time(c.connect_started);
    out.time(c.established);
    out.integer(number(c.bytes_in));
    out.integer(number(c.bytes_out));
    out.integer(number(c.lost_in));
    out.integer(number(c.lost_out));
    out.integer(c.retransmits);
    out.integer_if(c.error != 0, c.error);
    out.text_or_null(c.reset_received ? "received" : c.reset_sent ? "sent" : "");
    out.integer(requests == carried.end() ? 0 : requests->second);
    out.end_row();
  }
}

void insert_losses(Database& database, const model::Quality& quality) {
  Inserter out(database, "loss");
  for (const model::LossSpan& loss : quality.losses) {
    const bool known = formats::known(loss.from) && formats::known(loss.to) && loss.to >= loss.from;
    out.time(loss.from);
    out.integer_if(known, (loss.to - loss.from).count());
    out.integer(number(loss.count));
    out.text(loss.what);
    out.end_row();
  }
}

void insert_blocks(Database& database, std::span<const formats::BlockStatus> blocks) {
  Inserter out(database, "block");
  for (const formats::BlockStatus& b : blocks) {
    out.integer(number(b.sequence));
    out.integer(number(b.offset));
    out.text(b.type);
    out.integer(number(b.events));
    out.integer(number(b.raw_bytes));
    out.integer(number(b.stored_bytes));
    out.time(b.first);
    out.time(b.last);
    out.text_or_null(b.damage);
    out.end_row();
  }
}

void insert_capture(Database& database, const formats::Preamble& preamble, const formats::FileSummary& file,
                    const model::Quality& quality) {
  Inserter out(database, "_captures");
  out.text_or_null(preamble.capture_id);
  out.text_or_null(preamble.host);
  out.text_or_null(preamble.kernel);
  out.text_or_null(preamble.architecture);
  out.text_or_null(preamble.boot_id);
  out.integer_if(preamble.cpus != 0, preamble.cpus);
  out.text_or_null(preamble.tool_version);
  out.text_or_null(preamble.tier == formats::HookTier::unknown ? "" : formats::name_of(preamble.tier));
  out.text(formats::name_of(preamble.redaction));
  out.text(formats::name_of(file.state));
  out.time(file.first);
  out.time(file.last);
  out.integer_if(preamble.started_realtime != 0, preamble.started_realtime);
  out.integer_if(quality.clock.known(), quality.clock_error.count());
  out.integer(number(file.events));
  out.integer(number(quality.lost));
  out.integer(number(file.damaged_blocks));
  out.end_row();
}

void insert_version(Database& database, std::string_view tailcap) {
  Inserter out(database, "_schema_version");
  out.integer(kVersion);
  out.text(tailcap);
  out.end_row();
}

void Clocks::push(const formats::Event& event) {
  const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body);
  if (!clock) return;
  row_.time(event.time);
  row_.integer(formats::machine_of(event.thread.pid) + 1);
  row_.integer(clock->realtime);
  row_.integer(clock->boottime);
  row_.integer(clock->uncertainty.count());
  row_.end_row();
}

}  // namespace tailcap::sql
