#include "analyze/redact/rules/rules.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "analyze/redact/rules/credentials.h"
#include "analyze/redact/rules/fingerprint.h"
#include "analyze/redact/rules/header_rules.h"
#include "analyze/redact/rules/pseudonym.h"
#include "ground/http/masked_fields.h"

namespace tailcap::redact {
namespace {

using enum Treatment;

constexpr auto kRows = std::to_array<RedactionRow>({
    {"send", "socket", keep, keep},
    {"send", "position", keep, keep},
    {"send", "length", keep, keep},
    {"send", "syscall", keep, keep},
    {"send", "error", keep, keep},
    {"send", "missed", keep, keep},
    {"send", "truncated", keep, keep},
    {"send", "continued", keep, keep},
    {"send", "payload", keep, keep},
    {"send", "head", payload, payload},
    {"send", "tail", payload, payload},
    {"arrival", "socket", keep, keep},
    {"arrival", "position", keep, keep},
    {"arrival", "length", keep, keep},
    {"arrival", "missed", keep, keep},
    {"retransmit", "socket", keep, keep},
    {"retransmit", "position", keep, keep},
    {"retransmit", "length", keep, keep},
    {"retransmit", "interface", keep, keep},
    {"retransmit", "segment", keep, keep},
    {"retransmit", "path_mtu", keep, keep},
    {"reset", "socket", keep, keep},
    {"reset", "direction", keep, keep},
    {"state_change", "socket", keep, keep},
    {"state_change", "from", keep, keep},
    {"state_change", "to", keep, keep},
    {"state_change", "by_thread", keep, keep},
    {"state_change", "error", keep, keep},
    {"state_change", "queue", keep, keep},
    {"state_change", "rtt", keep, keep},
    {"accept", "socket", keep, keep},
    {"accept", "descriptor", keep, keep},
    {"socket_info", "socket", keep, keep},
    {"socket_info", "family", keep, keep},
    {"socket_info", "type", keep, keep},
    {"socket_info", "origin", keep, keep},
    {"socket_info", "state", keep, keep},
    {"socket_info", "local", keep, pseudonym},
    {"socket_info", "local_port", keep, keep},
    {"socket_info", "remote", keep, pseudonym},
    {"socket_info", "remote_port", keep, keep},
    {"socket_info", "next_out", keep, keep},
    {"socket_info", "next_in", keep, keep},
    {"socket_info", "inode", keep, keep},
    {"socket_info", "peer_inode", keep, keep},
    {"socket_info", "net_namespace", keep, keep},
    {"socket_info", "path", words, path},
    {"socket_info", "listener", keep, keep},
    {"socket_info", "queue", keep, keep},
    {"socket_info", "queue_limit", keep, keep},
    {"socket_info", "drops", keep, keep},
    {"socket_info", "rtt", keep, keep},
    {"socket_info", "interface", keep, keep},
    {"socket_info", "peer_pid", keep, keep},
    {"tls_send", "session", keep, keep},
    {"tls_send", "position", keep, keep},
    {"tls_send", "length", keep, keep},
    {"tls_send", "began", keep, keep},
    {"tls_send", "continued", keep, keep},
    {"tls_send", "missed", keep, keep},
    {"tls_send", "payload", keep, keep},
    {"tls_send", "head", payload, payload},
    {"tls_send", "tail", payload, payload},
    {"tls_step", "session", keep, keep},
    {"tls_step", "library", keep, keep},
    {"tls_step", "step", keep, keep},
    {"tls_step", "code", keep, keep},
    {"off_cpu", "left", keep, keep},
    {"off_cpu", "runnable", keep, keep},
    {"off_cpu", "waker", keep, keep},
    {"off_cpu", "state", keep, keep},
    {"off_cpu", "syscall", keep, keep},
    {"off_cpu", "argument0", keep, keep},
    {"off_cpu", "argument1", keep, keep},
    {"off_cpu", "missed", keep, keep},
    {"off_cpu", "throttled", keep, keep},
    {"off_cpu", "file", keep, keep},
    {"off_cpu", "socket", keep, keep},
    {"off_cpu", "timed", keep, keep},
    {"off_cpu", "woken_in", keep, keep},
    {"off_cpu", "stolen", keep, keep},
    {"off_cpu", "ongoing", keep, keep},
    {"task_start", "parent_pid", keep, keep},
    {"task_start", "parent_tid", keep, keep},
    {"task_start", "comm", words, pseudonym},
    {"task_exec", "comm", words, pseudonym},
    {"task_exec", "filename", words, path},
    {"task_exit", "code", keep, keep},
    {"task_info", "parent_pid", keep, keep},
    {"task_info", "comm", words, pseudonym},
    {"task_info", "command_line", program_words, program},
    {"task_info", "executable", words, path},
    {"task_info", "cgroup", words, path},
    {"task_info", "started", keep, keep},
    {"task_info", "service", words, pseudonym},
    {"mapping", "start", keep, keep},
    {"mapping", "end", keep, keep},
    {"mapping", "file_offset", keep, keep},
    {"mapping", "path", words, path},
    {"mapping", "build_id", keep, drop},
    {"stall", "what", keep, keep},
    {"stall", "began", keep, keep},
    {"stall", "where", keep, keep},
    {"stall", "detail", keep, keep},
    {"cpu_quota", "cgroup", words, path},
    {"cpu_quota", "period", keep, keep},
    {"cpu_quota", "quota", keep, keep},
    {"cpu_quota", "periods", keep, keep},
    {"cpu_quota", "throttled", keep, keep},
    {"cpu_quota", "throttled_time", keep, keep},
    {"file_call", "act", keep, keep},
    {"file_call", "began", keep, keep},
    {"file_call", "result", keep, keep},
    {"file_call", "descriptor", keep, keep},
    {"file_call", "path", words, path},
    {"sample", "why", keep, keep},
    {"sample", "user", words, symbols},
    {"sample", "kernel", words, words},
    {"sample", "weight", keep, keep},
    {"sample", "value", keep, keep},
    {"sample", "end", keep, keep},
    {"sample", "lines", words, symbols},
    {"sample", "places", keep, drop},
    {"sample", "build_ids", keep, drop},
    {"sample", "files", words, drop},
    {"go_create", "child", keep, keep},
    {"go_create", "function", words, symbols},
    {"go_create", "from", words, symbols},
    {"go_exit", "of", keep, keep},
    {"go_panic", "step", keep, keep},
    {"go_panic", "stack", words, symbols},
    {"go_runtime", "phase", keep, keep},
    {"go_runtime", "reason", words, words},
    {"go_state", "of", keep, keep},
    {"go_state", "state", keep, keep},
    {"go_state", "reason", words, words},
    {"go_handler", "address", keep, keep},
    {"go_handler", "name", words, symbols},
    {"go_handler", "grpc", keep, keep},
    {"go_call", "step", keep, keep},
    {"go_call", "connection", keep, keep},
    {"go_call", "stream", keep, keep},
    {"go_channel", "step", keep, keep},
    {"go_channel", "channel", keep, keep},
    {"go_channel", "slot", keep, keep},
    {"go_channel", "partner", keep, keep},
    {"go_allocations", "least", keep, keep},
    {"go_allocations", "count", keep, keep},
    {"go_allocations", "bytes", keep, keep},
    {"malloc_calls", "least", keep, keep},
    {"malloc_calls", "count", keep, keep},
    {"malloc_calls", "bytes", keep, keep},
    {"go_heap", "limit", keep, keep},
    {"go_heap", "percent", keep, keep},
    {"go_heap", "used", keep, keep},
    {"go_heap", "live", keep, keep},
    {"go_program", "path", words, path},
    {"go_program", "version", words, words},
    {"go_program", "offsets_from", words, words},
    {"go_program", "unsupported", words, words},
    {"go_program", "goid_offset", keep, keep},
    {"go_program", "parts", keep, keep},
    {"go_program", "processors", keep, keep},
    {"go_build", "path", words, path},
    {"go_build", "lines", build_lines, drop},
    {"clock", "realtime", keep, keep},
    {"clock", "boottime", keep, keep},
    {"clock", "uncertainty", keep, keep},
    {"loss", "since", keep, keep},
    {"loss", "cause", keep, keep},
    {"loss", "lost", keep, keep},
    {"loss", "count", keep, keep},
    {"recorder_cost", "cpu", keep, keep},
    {"recorder_cost", "resident", keep, keep},
    {"program_cost", "program", keep, keep},
    {"program_cost", "runs", keep, keep},
    {"program_cost", "program_time", keep, keep},
    {"probe", "path", words, path},
    {"probe", "function", words, symbols},
    {"probe", "place", keep, keep},
    {"probe", "offset", keep, keep},
    {"probe", "price", keep, keep},
    {"probe", "reason", words, drop},
    {"note", "key", words, pseudonym},
    {"note", "value", words, pseudonym},
    {"net_interface", "net_namespace", keep, keep},
    {"net_interface", "index", keep, keep},
    {"net_interface", "name", words, pseudonym},
    {"net_interface", "family", keep, keep},
    {"net_interface", "address", keep, pseudonym},
    {"net_interface", "prefix", keep, keep},
    {"masking", "streams", keep, keep},
    {"masking", "foreign", keep, keep},
    {"masking", "doubtful", keep, keep},
    {"masking", "withheld", keep, keep},
    {"masking", "withheld_sends", keep, keep},
    {"masking", "withheld_receives", keep, keep},
    {"machine", "user", keep, keep},
    {"machine", "began", keep, keep},
    {"machine", "cpu_time", keep, keep},
    {"machine", "process", keep, keep},
    {"machine", "comm", words, pseudonym},
    {"machine", "bytes_read", keep, keep},
    {"machine", "bytes_written", keep, keep},
    {"net_link", "net_namespace", keep, keep},
    {"net_link", "index", keep, keep},
    {"net_link", "name", words, pseudonym},
    {"net_link", "type", words, words},
    {"net_link", "mtu", keep, keep},
    {"net_link", "master", keep, keep},
    {"net_link", "peer", keep, keep},
    {"net_link", "peer_namespace", keep, keep},
    {"net_link", "up", keep, keep},
    {"net_link", "gone", keep, keep},
    {"process_use", "cpu", keep, keep},
    {"process_use", "resident", keep, keep},
    {"process_use", "anonymous", keep, keep},
    {"packet_drops", "began", keep, keep},
    {"packet_drops", "reason", words, words},
    {"packet_drops", "family", keep, keep},
    {"packet_drops", "protocol", keep, keep},
    {"packet_drops", "to", keep, pseudonym},
    {"packet_drops", "to_port", keep, keep},
    {"packet_drops", "count", keep, keep},
    {"preamble", "capture_id", keep, pseudonym},
    {"preamble", "tool_version", keep, keep},
    {"preamble", "command_line", program_words, drop},
    {"preamble", "host", words, pseudonym},
    {"preamble", "kernel", keep, keep},
    {"preamble", "architecture", keep, keep},
    {"preamble", "boot_id", pseudonym, pseudonym},
    {"preamble", "tier_reason", words, words},
    {"preamble", "targets", words, pseudonym},
    {"preamble", "programs", keep, keep},
    {"preamble", "notes", words, pseudonym},
});

// Names of fields that everybody knows, besides those of ground::kMaskedFields.
constexpr auto kPublicNames = std::to_array<std::string_view>({
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "date",
    "expires",
    "host",
    "if-modified-since",
    "last-modified",
    "pragma",
    "server",
    "user-agent",
    "vary",
    "via",
});

}  // namespace

std::span<const RedactionRow> rows() { return kRows; }

std::string_view name_of(RedactionLevel level) { return level == RedactionLevel::strict ? "strict" : "default"; }

std::string_view name_of(Treatment treatment) {
  constexpr std::string_view names[] = {"drop",    "keep",    "words",         "pseudonym",   "path",
                                        "symbols", "program", "program_words", "build_lines", "payload"};
  return names[static_cast<std::size_t>(treatment)];
}

Treatment RedactionPolicy::of(std::string_view kind, std::string_view field) const {
  if (!fields_.empty()) {
    const auto own = fields_.find(std::string(kind) + "." + std::string(field));
    if (own != fields_.end()) return own->second;
  }
  for (const RedactionRow& row : kRows)
    if (row.kind == kind && row.field == field) return strict() ? row.strict : row.standard;
  return drop;
}

Value RedactionPolicy::header(std::string_view name) const {
  if (const auto own = headers_.find(name); own != headers_.end()) return own->second;
  const auto found = std::ranges::lower_bound(kHeaderRules, name, {}, &HeaderRule::name);
  return found != kHeaderRules.end() && found->name == name ? found->value : Value::masked;
}

bool RedactionPolicy::knows_header(std::string_view name) const {
  return headers_.contains(name) || std::ranges::binary_search(kHeaderRules, name, {}, &HeaderRule::name) ||
         std::ranges::find(ground::kMaskedFields, name) != std::end(ground::kMaskedFields) ||
         std::ranges::find(kPublicNames, name) != std::end(kPublicNames);
}

bool RedactionPolicy::begins_header(std::string_view begin) const {
  const auto begins = [&](std::string_view name) { return name.starts_with(begin); };
  return std::ranges::any_of(headers_, [&](const auto& own) { return begins(own.first); }) ||
         std::ranges::any_of(kHeaderRules, begins, &HeaderRule::name) ||
         std::ranges::any_of(ground::kMaskedFields, begins) || std::ranges::any_of(kPublicNames, begins);
}

std::string RedactionPolicy::name() const {
  return std::string(name_of(level_)) + (custom() ? " and a policy file" : "");
}

std::string RedactionPolicy::hash() const {
  std::string all(name_of(level_));
  for (const RedactionRow& row : kRows) {
    all += '\n';
    (((all += row.kind) += '.') += row.field) += ' ';
    all += name_of(of(row.kind, row.field));
  }
  for (const HeaderRule& row : kHeaderRules)
    ((all += '\n') += row.name) += ' ' + std::to_string(static_cast<int>(header(row.name)));
  for (const auto& [name, value] : headers_)
    if (value == Value::kept) (all += "\nheader ") += name;
  for (const auto& key : queries_) (all += "\nquery ") += key;
  return fingerprint(all, 16);
}

void RedactionPolicy::check_credentials(const std::string& name) const {
  if (may_hold_credentials(name) && !credentials_.contains(name))
    throw std::runtime_error(name + " may hold credentials; name it in allow_credentials, too, if it is to be kept");
}

void RedactionPolicy::keep_header(const std::string& name) {
  const Value now = RedactionPolicy().header(name);
  if (now == Value::target || now == Value::authority)
    throw std::runtime_error(name + " is not kept as a whole; keep_queries keeps values of queries");
  if (name.empty() || !std::all_of(name.begin(), name.end(),
                                   [](char c) { return formats::mask::is_token(c) && formats::mask::lower(c) == c; }))
    throw std::runtime_error("'" + name + "' is no name of a header field in lower case");
  check_credentials(name);
  headers_[name] = Value::kept;
}

void RedactionPolicy::keep_query(const std::string& key) {
  if (key.empty()) throw std::runtime_error("a key of a query has no name");
  check_credentials(key);
  queries_.insert(key);
}

void RedactionPolicy::set(const std::string& kind, const std::string& field, Treatment treatment) {
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [&](const RedactionRow& r) { return r.kind == kind && r.field == field; });
  if (row == kRows.end()) throw std::runtime_error("there is no field " + kind + "." + field);
  const bool number = row->strict == keep && row->standard == keep;
  if (number && treatment != keep && treatment != drop)
    throw std::runtime_error(kind + "." + field + " can only be kept or dropped");
  if (row->standard == payload) throw std::runtime_error(kind + "." + field + " is not for a policy to decide");
  const bool arguments = row->standard == program_words || row->standard == program;
  if (arguments && treatment != drop && treatment != pseudonym) check_credentials(kind + "." + field);
  fields_[kind + "." + field] = treatment;
}

}  // namespace tailcap::redact
