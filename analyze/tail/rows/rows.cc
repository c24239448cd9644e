#include "analyze/tail/rows/rows.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "analyze/model/wire/trace_context.h"
#include "formats/event.h"
#include "ground/number_sort.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxWaiting = model::Processes::kMax;

}  // namespace

void ServiceTasks::push(const formats::Event& event) {
  if (!std::holds_alternative<formats::OffCpu>(event.body)) return processes_.push(event);
  if (event.thread.pid == last_waiting_ || waiting_.size() >= kMaxWaiting) return;
  last_waiting_ = event.thread.pid;
  waiting_.insert(last_waiting_);
}

void ServiceTasks::settle(model::RequestTable& table) {
  table.processes = std::move(processes_);
  if (!table.processes.changed()) return;
  // By process, the names that its requests have, and how many of them.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::map<model::TextId, std::size_t>> names;
  std::vector<std::tuple<std::uint32_t, std::uint32_t, model::TextId>> own;  // row, life, name
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (!table.processes.changed(table.rows.names(i).pid)) continue;
    const model::Request row = table.rows[i];
    const std::uint32_t number = table.life(i, row.pid);
    const model::Processes::Life* life = table.processes.life(row.pid, number);
    model::TextId name = row.comm;
    if (life && formats::known(row.start)) {
      const auto text = model::Processes::name_in(*life, row.has_duration ? row.start + row.duration : row.start);
      if (!text.empty()) name = table.texts.intern(text);
    }
    ++names[{row.pid, number}][name];
    own.emplace_back(i, number, name);
  }
  for (const auto& [i, number, name] : own) {
    model::Request row = table.rows[i];
    const auto& all = names[{row.pid, number}];
    const auto most = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tuple(a.second, a.first) < std::tuple(b.second, b.first);
    });
    if (name != most->first) table.own_names.emplace_back(row.id, name);
    if (row.comm == most->first) continue;
    row.comm = most->first;
    table.rows.set(i, row);
  }
  std::sort(table.own_names.begin(), table.own_names.end());
}

// Where nothing is described, or not all that was is kept, this is not known.
bool ServiceTasks::recorded(const model::Processes& processes, std::uint32_t pid) const {
  return processes.empty() || processes.full() || waiting_.size() >= kMaxWaiting || processes.contains(pid) ||
         waiting_.contains(pid);
}

std::vector<model::ProcessSummary> ServiceTasks::summaries(
    const model::RequestTable& table, const std::function<model::TextId(model::ConnectionId)>& local) const {
  std::map<std::pair<std::uint32_t, std::uint32_t>, model::ProcessSummary> by_process;
  auto same = by_process.end();  // as of the row before
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::RowNames row = table.rows.names(i);
    if (row.pid == 0) continue;
    const std::pair process(row.pid, table.life(i, row.pid));
    if (same == by_process.end() || same->first != process) same = by_process.try_emplace(process).first;
    const std::uint32_t number = process.second;
    auto& summary = same->second;
    if (summary.requests++ == 0) {
      summary.pid = row.pid;
      summary.comm = table.texts[row.comm];
      if (const auto* life = table.processes.life(row.pid, number)) summary.command_line = life->command_line;
      summary.recorded = recorded(table.processes, row.pid);
    }
    if (summary.served_at.empty() && table.rows.role(i) == model::Role::server)
      summary.served_at = table.texts[local(table.rows.id(i).connection)];
  }
  std::vector<model::ProcessSummary> out;
  for (auto& [process, summary] : by_process) out.push_back(std::move(summary));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.requests > b.requests; });
  return out;
}

namespace {

std::int64_t count_of(const std::optional<model::GrpcFacts>& facts) {
  return facts ? static_cast<std::int64_t>(std::min<std::uint64_t>(facts->messages, INT64_MAX)) : -1;
}

model::GrpcCall call_of(const model::Exchange& e, model::TextPool& texts) {
  model::GrpcCall call;
  call.request_messages = count_of(e.request_grpc);
  call.response_messages = count_of(e.response_grpc);
  call.exact = (!e.request_grpc || e.request_grpc->exact) && (!e.response_grpc || e.response_grpc->exact);
  if (e.request_grpc) call.context = e.request_grpc->context;
  if (e.request_grpc && e.request_grpc->timeout) call.timeout = e.request_grpc->timeout->count();
  if (e.response_grpc && !e.response_grpc->message.empty()) call.message = texts.intern(e.response_grpc->message);
  return call;
}

}  // namespace

model::Request row_of(const model::Exchange& e, const ServiceTasks& tasks, model::TextPool& texts,
                      model::Findings& findings) {
  model::Request row;
  row.id = e.id;
  row.role = e.role;
  row.protocol = e.protocol;
  row.outcome = e.outcome;
  row.complete = e.complete;
  row.stream = e.stream;
  row.taints = e.taints;
  row.status = static_cast<std::uint16_t>(std::clamp(e.status, 0, 999));
  if (e.response_grpc && e.response_grpc->status) row.grpc_status = std::max(-1, *e.response_grpc->status);
  const model::Thread& thread = e.reader.tid != 0 ? e.reader : e.writer;
  row.pid = thread.pid;
  row.tid = thread.tid;
  const auto bytes = [](const std::optional<std::uint64_t>& n) {
    return n && *n <= static_cast<std::uint64_t>(INT64_MAX) ? static_cast<std::int64_t>(*n) : -1;
  };
  if (e.stream != 0) {
    const auto held = [](const model::WindowWaits& waits) {
      return waits.known ? std::int64_t{waits.total.count()} : -1;
    };
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
  const model::TraceContext trace = model::trace_context(e.request_headers);
  if (const std::string text = trace.text(); !text.empty()) row.traceparent = texts.append(text);
  row.trace_format = trace.format;
  if (trace.format == model::TraceFormat::conflicting) findings.add(model::Finding::trace_context_conflict);
  if (trace.invalid) findings.add(model::Finding::trace_context_invalid);
  if (model::is_call(row)) row.grpc = call_of(e, texts);
  if (e.store) row.store = {present(e.store->error_code), e.store->rows, e.store->waits};
  return row;
}

std::vector<std::uint32_t> sort_rows(model::RequestTable& table) {
  auto& rows = table.rows;
  std::vector<ground::Ranked> order;
  order.reserve(rows.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) order.push_back({formats::nanoseconds(rows.start(i)), i});
  ground::sort_ranked(order);
  std::vector<std::uint32_t> from;
  from.reserve(order.size());
  for (const ground::Ranked& row : order) from.push_back(row.place);
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    for (end = begin + 1; end < order.size() && order[end].by == order[begin].by;) ++end;
    if (end - begin > 1)
      std::ranges::sort(std::span(from).subspan(begin, end - begin), {}, [&](std::uint32_t i) { return rows.id(i); });
  }
  rows.permute(from);
  return from;
}

}  // namespace tailcap::tail
