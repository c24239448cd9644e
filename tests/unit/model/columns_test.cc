#include "analyze/model/columns/columns.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analyze/model/columns/facts.h"

namespace tailcap::model::columns {
namespace {

std::string shown(const ColumnValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* flags = std::get_if<Flags>(&value)) return std::to_string(flags->bits);
  return "unknown";
}

// All values of a request, by place in the list.
std::vector<std::string> values_of(const RequestTable& table, const Request& row, const WallClock& clock) {
  ColumnFacts facts(table, row);
  facts.clock = &clock;
  std::vector<std::string> out;
  for (const RequestColumn& column : all()) out.push_back(column.get ? shown(column.get(facts)) : "");
  return out;
}

struct Base {
  RequestTable table;
  WallClock clock;
  model::Setup setup;
  Cause cause;
  TextId text;
  Request row;
  Base() {
    clock.add(formats::time_from(0), 1'700'000'000'000'000'000, Duration{0});
    text = table.texts.intern("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    setup.dns_began = setup.connect_began = formats::time_from(10);
    setup.dns_done = setup.connect_done = formats::time_from(20);
    cause.parent = {8, 9};
    row.id = {3, 1};
    row.start = formats::time_from(1000);
    row.has_duration = row.has_phases = true;
    row.duration = Duration{600};
    row.phases = {100, 100, 100, 100, 100, 100};
    row.first_byte = Duration{-1};
    row.stream = 1;
    row.attempt = 2;
    row.protocol = Protocol::grpc;
    row.request_flow_control = row.response_flow_control = 0;
    row.role = Role::client;
  }
};

// A member that no column shows stands here, with the reason.
const std::map<std::string, std::string> kNoColumn = {
    {"account", "where the time went is the nested column labels, which those that write it get from the table"},
};

TEST(Columns, EveryMemberOfACallOfAStoreHasOne) {
  Base base;
  base.row.protocol = Protocol::postgresql;
  const auto before = values_of(base.table, base.row, base.clock);
  const auto& [error_code, rows, waits] = base.row.store;
  static_cast<void>(error_code), static_cast<void>(rows), static_cast<void>(waits);
  for (const auto& change : std::vector<std::function<void(StoreCall&)>>{
           [&](StoreCall& s) { s.error_code = base.text; }, [](StoreCall& s) { s.rows = 7; },
           [](StoreCall& s) { s.waits = true; }}) {
    Request changed = base.row;
    change(changed.store);
    EXPECT_NE(values_of(base.table, changed, base.clock), before);
    Rows packed;
    packed.push_back(changed);
    EXPECT_EQ(packed[0].store, changed.store);
    EXPECT_EQ(packed.work(0).phases, changed.phases);
  }
}

// The number of names in the binding is that of the members: a new one does not compile until it is here, and fails
// until a column shows it.
TEST(Columns, EveryMemberOfARequestHasOne) {
  const Base base;
  const Partitions partitions;
  std::map<std::string, std::function<void(Request&)>> changes;
  {
    Request row = base.row;
    const auto& [id, peer, start, duration, at_least, first_byte, request_bytes, response_bytes, method, path, route,
                 authority, request_id, comm, traceparent, pid, tid, stream, taints, status, grpc_status, role,
                 protocol, outcome, tls, complete, has_duration, has_phases, phases, request_flow_control,
                 response_flow_control, behind_others, behind_others_bytes, stream_limit, pushed, attempt, attempt_of,
                 attempt_how, from_peer, trace_format, setup, cause, handler, account, reset_after, grpc, store] = row;
#define MEMBER(name, value) \
  static_cast<void>(name);  \
  changes[#name] = [&](Request& r) { r.name = value; }
    MEMBER(id, (ExchangeId{7, 7}));
    MEMBER(peer, (ExchangeId{4, 4}));
    MEMBER(start, formats::time_from(77));
    MEMBER(duration, Duration{77});
    MEMBER(at_least, 77);
    MEMBER(first_byte, Duration{77});
    MEMBER(request_bytes, 77);
    MEMBER(response_bytes, 77);
    MEMBER(method, base.text);
    MEMBER(path, base.text);
    MEMBER(route, base.text);
    MEMBER(authority, base.text);
    MEMBER(request_id, base.text);
    MEMBER(comm, base.text);
    MEMBER(traceparent, base.text);
    MEMBER(pid, 77);
    MEMBER(tid, 77);
    MEMBER(stream, 0);
    MEMBER(taints, 1);
    MEMBER(status, 201);
    MEMBER(grpc_status, 5);
    MEMBER(role, Role::server);
    MEMBER(protocol, Protocol::http2);
    MEMBER(outcome, Outcome::reset);
    MEMBER(tls, true);
    MEMBER(complete, true);
    MEMBER(has_duration, false);
    MEMBER(has_phases, false);
    MEMBER(phases[2], 77);
    static_cast<void>(phases);
    MEMBER(request_flow_control, 77);
    MEMBER(response_flow_control, 77);
    MEMBER(behind_others, 77);
    MEMBER(behind_others_bytes, 77);
    MEMBER(stream_limit, 77);
    MEMBER(pushed, true);
    MEMBER(attempt, 3);
    MEMBER(attempt_of, (ExchangeId{4, 4}));
    MEMBER(attempt_how, AttemptEvidence::refused);
    MEMBER(from_peer, 1);
    MEMBER(trace_format, TraceFormat::b3);
    MEMBER(setup, &base.setup);
    MEMBER(cause, &base.cause);
    MEMBER(handler, base.text);
    MEMBER(account, &partitions);
    MEMBER(reset_after, 77);
    MEMBER(grpc.timeout, 77);
    MEMBER(grpc.request_messages, 77);
    MEMBER(grpc.response_messages, 77);
    MEMBER(grpc.exact, false);
    MEMBER(grpc.context, GrpcContext::late);
    MEMBER(grpc.message, base.text);
    static_cast<void>(grpc), static_cast<void>(store);  // below
    const auto& [timeout, request_messages, response_messages, exact, context, message] = row.grpc;
    static_cast<void>(timeout), static_cast<void>(request_messages), static_cast<void>(response_messages);
    static_cast<void>(exact), static_cast<void>(context), static_cast<void>(message);
  }
#undef MEMBER
  const auto before = values_of(base.table, base.row, base.clock);
  for (const auto& [member, change] : changes) {
    Request changed = base.row;
    change(changed);
    const bool seen = values_of(base.table, changed, base.clock) != before;
    EXPECT_EQ(seen, !kNoColumn.contains(member)) << member;
  }
}

TEST(Columns, EveryPartOfASetUpAndACauseHasOne) {
  const Base base;
  const auto differs = [&](const model::Setup& setup, const Cause& cause) {
    Request a = base.row, b = base.row;
    a.setup = &base.setup, a.cause = &base.cause;
    b.setup = &setup, b.cause = &cause;
    return values_of(base.table, a, base.clock) != values_of(base.table, b, base.clock);
  };
  const std::vector<std::function<void(model::Setup&)>> parts = {
      [](model::Setup& s) { s.dns_began = formats::time_from(12); },
      [](model::Setup& s) { s.dns_done = formats::time_from(22); },
      [&](model::Setup& s) { s.dns_name = base.text; },
      [](model::Setup& s) { s.dns_attempts = 3; },
      [](model::Setup& s) { s.connect_began = formats::time_from(12); },
      [](model::Setup& s) { s.connect_done = formats::time_from(22); },
      [](model::Setup& s) { s.tls_began = formats::time_from(12), s.tls_done = formats::time_from(22); },
      [](model::Setup& s) {
        s.tls_began = formats::time_from(12), s.tls_done = formats::time_from(22), s.tls_exact = false;
      },
      [](model::Setup& s) { s.tls_version = 0x0303; },
      [](model::Setup& s) { s.tls_cipher = 0x1301; },
      [&](model::Setup& s) { s.tls_server_name = base.text; },
      [](model::Setup& s) { s.tls_resumed = false; },
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    model::Setup setup = base.setup;
    parts[i](setup);
    EXPECT_TRUE(differs(setup, base.cause)) << i;
  }
  const auto& [parent, method, certain, alternatives, lost] = base.cause;
  static_cast<void>(parent), static_cast<void>(method), static_cast<void>(certain);
  static_cast<void>(alternatives), static_cast<void>(lost);
  EXPECT_TRUE(differs(base.setup, {{8, 10}}));
  EXPECT_TRUE(differs(base.setup, {{8, 9}, CauseMethod::turn}));
  EXPECT_TRUE(differs(base.setup, {{8, 9}, CauseMethod::none, true}));
  EXPECT_TRUE(differs(base.setup, {{8, 9}, CauseMethod::none, false, 4}));
  EXPECT_TRUE(differs(base.setup, {{8, 9}, CauseMethod::none, false, 0, true}));
}

// What a new column would otherwise break without a word: positions in rows, joins by name, the names of JSON.
TEST(Columns, NamesAndPlacesAreUsedOnce) {
  for (std::size_t s = 0; s < kSurfaces; ++s) {
    const auto surface = static_cast<Surface>(s);
    std::set<std::string_view> names;
    std::set<int> places;
    for (const RequestColumn* const column : on(surface)) {
      EXPECT_TRUE(names.insert(column->on(surface).name).second) << column->name;
      if (surface != Surface::filter && surface != Surface::json) {
        EXPECT_TRUE(places.insert(column->on(surface).place).second) << column->name;
      }
      for (const std::string_view other : {column->short_form, column->old_name})
        if (surface == Surface::filter && !other.empty()) {
          EXPECT_TRUE(names.insert(other).second) << other;
        }
    }
    ASSERT_FALSE(names.empty());
    // Without a gap. In front of ClickHouse's are those of the capture.
    if (!places.empty()) {
      EXPECT_EQ(*places.rbegin() - *places.begin() + 1, static_cast<int>(places.size())) << s;
    }
    if (!places.empty()) {
      EXPECT_EQ(*places.begin(), surface == Surface::clickhouse ? 2 : surface == Surface::log_line);
    }
  }
}

TEST(Columns, EachSaysWhatItIs) {
  std::set<const ColumnGroup*> closed;  // objects of JSON whose members all came
  const ColumnGroup* last = nullptr;
  for (const RequestColumn& column : all()) {
    EXPECT_FALSE(column.says.empty()) << column.name;
    EXPECT_FALSE(column.says.ends_with('.')) << column.name;
    EXPECT_EQ(column.get == nullptr, column.type == ColumnType::nested) << column.name;
    EXPECT_TRUE(column.type != ColumnType::list || column.values) << column.name;
    EXPECT_EQ(column.unit == Unit::bytes, column.name.ends_with("_bytes")) << column.name;
    if (column.name.ends_with("_ns")) {
      EXPECT_NE(column.unit, Unit::none) << column.name;
    }
    if (column.values) {
      EXPECT_NE(description(column).find(column.values().back()), std::string::npos);
    }
    // Members of an object stand together, and what is only known at the end is so for all of an object or none.
    if (column.object != last && last) {
      EXPECT_TRUE(closed.insert(last).second) << column.name;
    }
    EXPECT_FALSE(column.object && closed.contains(column.object)) << column.name;
    if (column.object && column.object == last) {
      EXPECT_EQ((&column)[-1].at_end, column.at_end) << column.name;
    }
    last = column.object;
  }
}

// Only values that the list names.
TEST(Columns, ValuesOfEnumerationsAreAmongThoseNamed) {
  const Base base;
  for (int i = 0; i < 64; ++i) {
    Request row = base.row;
    row.outcome = static_cast<Outcome>(i % 10);
    row.protocol = static_cast<Protocol>(i % 6);
    row.role = static_cast<Role>(i % 2);
    row.grpc_status = i % 17;
    row.trace_format = static_cast<TraceFormat>(i % 10);
    row.attempt_how = static_cast<AttemptEvidence>(1 + i % 3);
    row.grpc.context = static_cast<GrpcContext>(i % 4);
    row.grpc.timeout = i % 3 - 1;
    ColumnFacts facts(base.table, row);
    for (const RequestColumn& column : all()) {
      if (!column.values || column.type != ColumnType::text) continue;
      const ColumnValue value = column.get(facts);
      if (!known(value)) continue;
      const ValueNames names = column.values();
      EXPECT_NE(std::find(names.begin(), names.end(), std::get<std::string_view>(value)), names.end())
          << column.name << ": " << std::get<std::string_view>(value);
    }
  }
}

}  // namespace
}  // namespace tailcap::model::columns
