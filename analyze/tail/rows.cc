#include "analyze/tail/rows.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxTasks = 32u << 10;  // names beyond this stay unknown
constexpr std::size_t kMaxCommandLine = 1024;
constexpr std::size_t kTraceparent = 55;

bool lower_hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool all_zero(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c == '0'; });
}

}  // namespace

Tasks::Task* Tasks::find_or_add(std::uint32_t pid) {
  const auto it = tasks_.find(pid);
  if (it != tasks_.end()) return &it->second;
  return pid == 0 || tasks_.size() >= kMaxTasks ? nullptr : &tasks_[pid];
}

void Tasks::push(const formats::Event& event) {
  const bool leader = event.thread.pid == event.thread.tid;
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    Task* task = find_or_add(event.thread.pid);
    if (!task) return;
    if (!info->comm.empty() && (leader || task->comm.empty())) task->comm = info->comm;
    if (leader && !info->command_line.empty()) task->command_line = info->command_line.substr(0, kMaxCommandLine);
  } else if (const auto* start = std::get_if<formats::TaskStart>(&event.body)) {
    if (!leader) return;
    if (Task* task = find_or_add(event.thread.pid)) *task = {std::string(start->comm), {}};
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    if (Task* task = find_or_add(event.thread.pid)) *task = {std::string(exec->comm), {}};
  }
}

const std::string& Tasks::comm(std::uint32_t pid) const {
  static const std::string none;
  const auto it = tasks_.find(pid);
  return it == tasks_.end() ? none : it->second.comm;
}

std::vector<flow::ProcessSummary> Tasks::summaries(const flow::RequestTable& table) const {
  std::map<std::uint32_t, flow::ProcessSummary> by_pid;
  for (const flow::Request& row : table.rows) {
    if (row.pid == 0) continue;
    auto& summary = by_pid[row.pid];
    if (summary.requests++ == 0) {
      summary.pid = row.pid;
      summary.comm = table.texts[row.comm];
      const auto it = tasks_.find(row.pid);
      if (it != tasks_.end()) summary.command_line = it->second.command_line;
    }
  }
  std::vector<flow::ProcessSummary> out;
  for (auto& [pid, summary] : by_pid) out.push_back(std::move(summary));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.requests > b.requests; });
  return out;
}

bool valid_traceparent(std::string_view t) {
  if (t.size() < kTraceparent || t[2] != '-' || t[35] != '-' || t[52] != '-') return false;
  const std::string_view version = t.substr(0, 2), trace = t.substr(3, 32), parent = t.substr(36, 16);
  if (!lower_hex(version) || version == "ff" || !lower_hex(t.substr(53, 2))) return false;
  if (t.size() > kTraceparent && (version == "00" || t[kTraceparent] != '-')) return false;
  return lower_hex(trace) && !all_zero(trace) && lower_hex(parent) && !all_zero(parent);
}

flow::Request row_of(const flow::Exchange& e, const Tasks& tasks, flow::TextPool& texts) {
  flow::Request row;
  row.id = e.id;
  row.role = e.role;
  row.protocol = e.protocol;
  row.outcome = e.outcome;
  row.complete = e.complete;
  row.stream = e.stream;
  row.taints = e.taints;
  row.status = static_cast<std::uint16_t>(std::clamp(e.status, 0, 999));
  if (e.response_grpc && e.response_grpc->status) row.grpc_status = std::max(-1, *e.response_grpc->status);
  const formats::Thread& thread = e.reader.tid != 0 ? e.reader : e.writer;
  row.pid = thread.pid;
  row.tid = thread.tid;
  const auto bytes = [](const std::optional<std::uint64_t>& n) {
    return n && *n <= static_cast<std::uint64_t>(INT64_MAX) ? static_cast<std::int64_t>(*n) : -1;
  };
  if (e.stream != 0) {
    const auto held = [](const flow::WindowWaits& waits) { return waits.known ? std::int64_t{waits.total.count()} : -1; };
    row.request_flow_control = held(e.request_window_waits);
    row.response_flow_control = held(e.response_window_waits);
    if (row.request_flow_control >= 0 && row.response_flow_control >= 0) {
      const auto& a = e.request_behind_others;
      const auto& b = e.response_behind_others;
      row.behind_others = std::int64_t{(a.time + b.time).count()};
      row.behind_others_bytes = static_cast<std::int64_t>(a.bytes + b.bytes);
    }
    if (e.stream_limit) row.stream_limit = std::int64_t{(e.stream_limit->freed - e.stream_limit->since).count()};
    row.pushed = e.pushed;
  }
  row.request_bytes = bytes(e.request_bytes);
  row.response_bytes = bytes(e.response_bytes);
  const auto present = [&](std::string_view text) { return text.empty() ? 0 : texts.intern(text); };
  row.method = present(e.method);
  row.path = present(e.target);
  row.authority = present(e.authority);
  row.comm = present(tasks.comm(row.pid));
  if (const auto id = e.request_headers.find("x-request-id"); id && !id->empty()) row.request_id = texts.append(*id);
  if (const auto trace = e.request_headers.find("traceparent"); trace && valid_traceparent(*trace))
    row.traceparent = texts.append(trace->substr(0, kTraceparent));
  return row;
}

std::vector<std::uint32_t> sort_rows(flow::RequestTable& table) {
  auto& rows = table.rows;
  std::vector<std::uint32_t> from(rows.size());
  std::iota(from.begin(), from.end(), 0u);
  std::sort(from.begin(), from.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (rows.start(a) != rows.start(b)) return rows.start(a) < rows.start(b);
    if (rows.id(a) != rows.id(b)) return rows.id(a) < rows.id(b);
    return a < b;
  });
  rows.permute(from);
  return from;
}

}  // namespace tailcap::tail
