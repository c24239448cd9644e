#include "analyze/query/field.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "formats/machine.h"
#include "formats/nearest.h"

namespace tailcap::query {
namespace {

using model::Phase;
using model::Request;
using model::TextPool;
using Type = Field::Type;

Value text_of(model::TextId id, const TextPool& texts) { return id == 0 ? Value{} : Value{texts[id]}; }
Value bytes_of(std::int64_t n) { return n < 0 ? Value{} : Value{n}; }
Value id_text(model::ExchangeId id, std::string& buffer) {
  if (id.connection == 0) return {};
  buffer = std::to_string(id.connection) + "." + std::to_string(id.index);
  return std::string_view(buffer);
}
Value duration_of(const Request& r) { return r.has_duration ? Value{std::int64_t{r.duration.count()}} : Value{}; }
Value first_byte_of(const Request& r) {
  return r.first_byte.count() < 0 ? Value{} : Value{std::int64_t{r.first_byte.count()}};
}
Value trace_part(const Request& r, const TextPool& t, std::string_view (*part)(std::string_view)) {
  const std::string_view text = r.traceparent == 0 ? std::string_view{} : part(t[r.traceparent]);
  return text.empty() ? Value{} : Value{text};
}
Value known_duration(model::Duration d) { return d.count() < 0 ? Value{} : Value{std::int64_t{d.count()}}; }
Value protocol_of(const Request& r) {
  return r.protocol == model::Protocol::unknown ? Value{} : Value{model::name_of(r.protocol)};
}

bool windows_known(const Request& r) { return r.request_flow_control >= 0 && r.response_flow_control >= 0; }
Value flow_control_of(const Request& r) {
  return windows_known(r) ? Value{r.request_flow_control + r.response_flow_control} : Value{};
}
Value count_or_none(const Request& r, std::int64_t n) { return !model::is_call(r) || n < 0 ? Value{} : Value{n}; }
Value name_or_none(std::string_view name) { return name.empty() ? Value{} : Value{name}; }
Value rpc_part(const Request& r, const TextPool& t, std::string_view model::RpcName::*part) {
  const auto name = model::is_call(r) ? model::rpc_name(t[r.path]) : std::nullopt;
  return name ? Value{(*name).*part} : Value{};
}
Value cause_of(const Request& r, const TextPool& t) {
  return r.grpc_status == 12 ? name_or_none(model::name_of(model::unimplemented_cause(t[r.grpc.message]))) : Value{};
}
Value context_of(const Request& r) {
  return model::is_call(r) ? name_or_none(model::name_of(r.grpc.context)) : Value{};
}

Value confidence_of(const Request& r) {
  if (!r.cause || r.cause->parent.connection == 0) return {};
  return std::string_view(r.cause->certain ? "certain" : "likely");
}

template <Phase phase>
Value phase_of(const Request& r, const TextPool&, std::string&) {
  const auto phases = model::phases_of(r.role);
  const auto at = std::find(phases.begin(), phases.end(), phase);
  return !r.has_phases || at == phases.end() ? Value{} : Value{r.phases[static_cast<std::size_t>(at - phases.begin())]};
}

template <std::size_t label>
Value label_of(const Request& r, const TextPool&, std::string&) {
  const auto parts = r.account ? r.account->parts(r.id) : std::span<const model::Part>{};
  if (parts.empty()) return {};
  std::int64_t time = 0;
  for (const model::Part& part : parts)
    if (part.label == static_cast<model::Label>(label)) time += part.time;
  return time;
}

using Names = std::vector<std::string_view>;

// The names of an enumeration's values, up to this one.
template <auto last>
Names names() {
  Names out;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i)
    out.push_back(model::name_of(static_cast<decltype(last)>(i)));
  return out;
}
Names protocols() {
  Names out = names<model::Protocol::grpc_web>();
  std::erase(out, model::name_of(model::Protocol::unknown));
  return out;
}
Names grpc_statuses() {
  Names out;
  for (std::int16_t code = 0; !model::grpc_status_name(code).empty(); ++code)
    out.push_back(model::grpc_status_name(code));
  return out;
}
Names confidences() { return {"certain", "likely"}; }

#define GET(expression)                                                      \
  +[]([[maybe_unused]] const Request& r, [[maybe_unused]] const TextPool& t, \
      [[maybe_unused]] std::string& b) -> Value { return expression; }

constexpr Field kFields[] = {
    {"id", Type::text, Unit::none, GET(id_text(r.id, b))},
    {"role", Type::text, Unit::none, GET(model::name_of(r.role)), names<model::Role::client>},
    {"protocol", Type::text, Unit::none, GET(protocol_of(r)), protocols},
    {"tls", Type::boolean, Unit::none, GET(r.tls)},
    {"method", Type::text, Unit::none, GET(text_of(r.method, t))},
    {"path", Type::text, Unit::none, GET(text_of(r.path, t))},
    {"route", Type::text, Unit::none, GET(text_of(r.route, t))},
    {"authority", Type::text, Unit::none, GET(text_of(r.authority, t))},
    {"grpc_status", Type::number, Unit::none, GET(r.grpc_status < 0 ? Value{} : Value{std::int64_t{r.grpc_status}})},
    {"grpc_cause", Type::text, Unit::none, GET(cause_of(r, t))},
    {"rpc.service", Type::text, Unit::none, GET(rpc_part(r, t, &model::RpcName::service))},
    {"rpc.method", Type::text, Unit::none, GET(rpc_part(r, t, &model::RpcName::method))},
    {"rpc.status", Type::text, Unit::none, GET(name_or_none(model::grpc_status_name(r.grpc_status))), grpc_statuses},
    {"rpc.message", Type::text, Unit::none, GET(text_of(r.grpc.message, t))},
    {"rpc.request_messages", Type::number, Unit::none, GET(count_or_none(r, r.grpc.request_messages))},
    {"rpc.response_messages", Type::number, Unit::none, GET(count_or_none(r, r.grpc.response_messages))},
    {"rpc.timeout", Type::number, Unit::nanoseconds, GET(count_or_none(r, r.grpc.timeout))},
    {"rpc.timeout_ns", Type::number, Unit::nanoseconds, GET(count_or_none(r, r.grpc.timeout))},
    {"rpc.deadline", Type::text, Unit::none, GET(name_or_none(model::name_of(model::deadline_of(r))))},
    {"rpc.trace_context", Type::text, Unit::none, GET(context_of(r))},
    {"status", Type::number, Unit::none, GET(r.status == 0 ? Value{} : Value{std::int64_t{r.status}})},
    {"outcome", Type::text, Unit::none, GET(model::name_of(r.outcome)), names<model::Outcome::cancelled>},
    {"complete", Type::boolean, Unit::none, GET(r.complete)},
    {"tainted", Type::list, Unit::none, GET(r.taints != 0)},
    {"duration", Type::number, Unit::nanoseconds, GET(duration_of(r))},
    {"duration_ns", Type::number, Unit::nanoseconds, GET(duration_of(r))},
    {"first_byte", Type::number, Unit::nanoseconds, GET(first_byte_of(r))},
    {"first_byte_ns", Type::number, Unit::nanoseconds, GET(first_byte_of(r))},
    {"dns", Type::number, Unit::nanoseconds, GET(r.setup ? known_duration(r.setup->dns()) : Value{})},
    {"connect", Type::number, Unit::nanoseconds, GET(r.setup ? known_duration(r.setup->connect()) : Value{})},
    {"tls_handshake", Type::number, Unit::nanoseconds, GET(r.setup ? known_duration(r.setup->tls()) : Value{})},
    {"reset_ns", Type::number, Unit::nanoseconds, GET(r.reset_after < 0 ? Value{} : Value{r.reset_after})},
    {"request_bytes", Type::number, Unit::bytes, GET(bytes_of(r.request_bytes))},
    {"response_bytes", Type::number, Unit::bytes, GET(bytes_of(r.response_bytes))},
    {"pid", Type::number, Unit::none, GET(r.pid == 0 ? Value{} : Value{std::int64_t{formats::number_of(r.pid)}})},
    {"tid", Type::number, Unit::none, GET(r.tid == 0 ? Value{} : Value{std::int64_t{r.tid}})},
    {"comm", Type::text, Unit::none, GET(text_of(r.comm, t))},
    {"handler", Type::text, Unit::none, GET(text_of(r.handler, t))},
    {"connection", Type::number, Unit::none, GET(std::int64_t{r.id.connection})},
    {"request_id", Type::text, Unit::none, GET(text_of(r.request_id, t))},
    {"trace_id", Type::text, Unit::none, GET(trace_part(r, t, model::trace_id_in))},
    {"parent_span_id", Type::text, Unit::none, GET(trace_part(r, t, model::span_id_in))},
    {"trace_format", Type::text, Unit::none,
     GET(r.trace_format == model::TraceFormat::none ? Value{} : Value{model::name_of(r.trace_format)})},
    {"parent", Type::text, Unit::none, GET(r.cause ? id_text(r.cause->parent, b) : Value{})},
    {"parent_how", Type::text, Unit::none, GET(r.cause ? name_or_none(model::name_of(r.cause->method)) : Value{})},
    {"parent_confidence", Type::text, Unit::none, GET(confidence_of(r)), confidences},
    {"parent_alternatives", Type::number, Unit::none,
     GET(r.cause ? Value{std::int64_t{r.cause->alternatives}} : Value{})},
    {"peer", Type::text, Unit::none, GET(id_text(r.peer, b))},
    {"attempt", Type::number, Unit::none, GET(r.attempt == 0 ? Value{} : Value{std::int64_t{r.attempt}})},
    {"attempt_of", Type::text, Unit::none, GET(id_text(r.attempt_of, b))},
    {"attempt_how", Type::text, Unit::none, GET(r.attempt == 0 ? Value{} : Value{model::name_of(r.attempt_how)})},
    {"flow_control", Type::number, Unit::nanoseconds, GET(flow_control_of(r))},
    {"http2.flow_control_ns", Type::number, Unit::nanoseconds, GET(flow_control_of(r))},
    {"request_flow_control", Type::number, Unit::nanoseconds, GET(bytes_of(r.request_flow_control))},
    {"http2.request_flow_control_ns", Type::number, Unit::nanoseconds, GET(bytes_of(r.request_flow_control))},
    {"response_flow_control", Type::number, Unit::nanoseconds, GET(bytes_of(r.response_flow_control))},
    {"http2.response_flow_control_ns", Type::number, Unit::nanoseconds, GET(bytes_of(r.response_flow_control))},
    {"behind_others", Type::number, Unit::nanoseconds, GET(windows_known(r) ? Value{r.behind_others} : Value{})},
    {"http2.behind_others_ns", Type::number, Unit::nanoseconds,
     GET(windows_known(r) ? Value{r.behind_others} : Value{})},
    {"http2.behind_others_bytes", Type::number, Unit::bytes,
     GET(windows_known(r) ? Value{r.behind_others_bytes} : Value{})},
    {"stream_limit", Type::number, Unit::nanoseconds, GET(bytes_of(r.stream_limit))},
    {"http2.stream_limit_ns", Type::number, Unit::nanoseconds, GET(bytes_of(r.stream_limit))},
    {"http2.opened_at_limit", Type::boolean, Unit::none,
     GET(windows_known(r) && r.role == model::Role::client ? Value{r.stream_limit >= 0} : Value{})},
    {"http2.pushed", Type::boolean, Unit::none, GET(r.stream == 0 ? Value{} : Value{r.pushed})},
    {"phases.arrive", Type::number, Unit::nanoseconds, phase_of<Phase::arrive>},
    {"phases.read", Type::number, Unit::nanoseconds, phase_of<Phase::read>},
    {"phases.continue", Type::number, Unit::nanoseconds, phase_of<Phase::continue_>},
    {"phases.pipelined", Type::number, Unit::nanoseconds, phase_of<Phase::pipelined>},
    {"phases.work", Type::number, Unit::nanoseconds, phase_of<Phase::work>},
    {"phases.respond", Type::number, Unit::nanoseconds, phase_of<Phase::respond>},
    {"phases.send", Type::number, Unit::nanoseconds, phase_of<Phase::send>},
    {"phases.ttfb", Type::number, Unit::nanoseconds, phase_of<Phase::ttfb>},
    {"phases.pickup", Type::number, Unit::nanoseconds, phase_of<Phase::pickup>},
    {"phases.body", Type::number, Unit::nanoseconds, phase_of<Phase::body>},
};
#undef GET

constexpr std::string_view kLabelPrefix = "labels.";  // of fields that are named after labels: "labels.lock.futex"

template <std::size_t... labels>
constexpr auto label_fields(std::index_sequence<labels...>) {
  return std::array<decltype(Field::get), sizeof...(labels)>{label_of<labels>...};
}
constexpr auto kLabelGetters = label_fields(std::make_index_sequence<model::kLabels>());

struct LabelFields {
  std::array<std::string, model::kLabels> names;
  std::array<Field, model::kLabels> fields;
  LabelFields() {
    for (std::size_t i = 0; i < model::kLabels; ++i) {
      names[i] = std::string(kLabelPrefix) + std::string(model::name_of(static_cast<model::Label>(i)));
      fields[i] = {names[i], Type::number, Unit::nanoseconds, kLabelGetters[i]};
    }
  }
};

}  // namespace

const Field* find_field(std::string_view name) {
  if (name.starts_with(kLabelPrefix)) {
    static const LabelFields of;
    const auto label = model::label_of(name.substr(kLabelPrefix.size()));
    return label ? &of.fields[static_cast<std::size_t>(*label)] : nullptr;
  }
  const auto at = std::find_if(std::begin(kFields), std::end(kFields), [&](const Field& f) { return f.name == name; });
  return at == std::end(kFields) ? nullptr : at;
}

bool needs_account(const Field& field) { return field.name.starts_with(kLabelPrefix); }

std::string suggested_field(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Field& f : kFields) names.push_back(f.name);
  return formats::suggestion(name, names);
}

std::string field_names() {
  std::string out;
  for (const Field& f : kFields) {
    if (f.name.ends_with("_ns")) continue;  // there under a shorter name
    if (!out.empty()) out += ", ";
    out += f.name;
  }
  return out + ", labels.NAME";
}

}  // namespace tailcap::query
