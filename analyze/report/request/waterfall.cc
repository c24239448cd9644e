#include "analyze/report/request/waterfall.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "analyze/model/figure/figure.h"
#include "analyze/report/request/calls.h"
#include "analyze/report/request/course.h"
#include "analyze/report/request/facts.h"
#include "analyze/report/request/held_up.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/event.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::report {
namespace {

using formats::known;
using model::RequestDetail;

std::string end_of(const RequestDetail& d) { return std::string(model::name_of(d.row.role)); }

std::string title_of(const RequestDetail& d) {
  if (d.method.empty() && !d.path_known) return "(request not seen)";
  return (d.method.empty() ? "?" : printable(d.method)) + " " +
         (d.path_known ? printable(d.path) : "(path not recorded)");
}

// On the axis only if the request came soon: a connection made long before would squeeze everything else.
bool setup_on_axis(const RequestDetail& d) {
  if (!d.setup || !known(d.row.start) || !known(d.setup->began()) || !d.row.has_duration) return false;
  return d.row.start - d.setup->began() <= std::max<Duration>(20 * d.row.duration, std::chrono::milliseconds{100});
}

void add_setup_lane(const RequestDetail& d, Time zero, std::vector<WaterfallLane>& lanes) {
  if (!setup_on_axis(d)) return;
  const model::Setup& s = *d.setup;
  WaterfallLane lane{"before the request, at the " + end_of(d), {}, {}, {}};
  const auto add = [&](const char* name, const char* colour, Time from, Duration length) {
    if (length.count() >= 0) lane.bars.push_back({name, colour, from - zero, length});
  };
  add("name", "#8c6d31", s.dns_began, s.dns());
  add("connect", "#637939", s.connect_began, s.connect());
  add("TLS handshake", "#7b4173", s.tls_began, s.tls());
  lanes.push_back(std::move(lane));
}

void add_milestones(const RequestDetail& d, Time zero, std::vector<Milestone>& out) {
  const auto& e = d.exchange;
  const auto add = [&](Time t, const char* what) {
    if (known(t)) out.push_back({t - zero, end_of(d), what, std::string_view(what).ends_with(" was sent")});
  };
  if (e.role == model::Role::server) {
    add(e.predecessor_done, "response before it on the connection was done");
    add(e.request.first_arrived, "first byte of the request arrived");
    add(e.request.first_done, "first byte of the request was read");
    add(e.request_head_done, "head of the request was read");
    add(e.request_body_arrived, "first byte of the request's body arrived");
    if (e.request.last_arrived != e.request.first_arrived)
      add(e.request.last_arrived, "last byte of the request arrived");
    add(e.continue_done, "100 Continue was sent");
    add(e.request.last_done, "last byte of the request was read");
    add(e.response.first_done, "first byte of the response was sent");
    if (d.row.has_duration) add(e.response.last_done, "last byte of the response was sent");
  } else {
    add(e.predecessor_done, "response before it on the connection was read");
    add(e.request.first_done, "first byte of the request was sent");
    add(e.continue_done, "100 Continue was read");
    add(e.request.last_done, "last byte of the request was sent");
    add(e.response.first_arrived, "first byte of the response arrived");
    add(e.response.first_done, "first byte of the response was read");
    if (e.response.last_arrived != e.response.first_arrived)
      add(e.response.last_arrived, "last byte of the response arrived");
    if (d.row.has_duration) add(e.response.last_done, "last byte of the response was read");
  }
  if (!e.reset || e.reset->goaway) return;
  if (e.reset->by == formats::Direction::out) return add(e.reset->done, "the stream was reset by this end");
  if (e.reset->at != e.reset->done) add(e.reset->at, "the other end's reset of the stream arrived");
  add(e.reset->done, "the other end's reset of the stream was read");
}

void add_lanes(const model::Detail& detail, const RequestDetail& d, Time zero, std::vector<WaterfallLane>& lanes) {
  if (!known(d.row.start)) return;
  if (d.row.has_phases) {
    WaterfallLane lane{"request, at the " + end_of(d), {}, {}, {}};
    Duration at = d.row.start - zero;
    const auto phases = model::phases_of(d.row.role);
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const Duration length{d.row.phases[i]};
      if (length.count() > 0)
        lane.bars.push_back(
            {std::string(model::text_of(phases[i])), std::string(model::colour_of(phases[i])), at, length, {}});
      at += length;
    }
    lanes.push_back(std::move(lane));
  }
  if (WaterfallLane lane = course_lane(detail, d, zero); !lane.bars.empty()) {
    if (detail.logs) lane.lines = lane_lines(*detail.logs, d, zero);
    lanes.push_back(std::move(lane));
  }
  if (WaterfallLane lane = held_up_lane(d, zero); !lane.bars.empty()) lanes.push_back(std::move(lane));
}

constexpr std::size_t kFunction = 80;  // characters

std::string wait_text(const model::ThreadWait& w, const model::LockNames& locks) {
  constexpr std::uint32_t kPreempted = 256;
  if (w.state == 0 || w.state == kPreempted) return "preempted";
  if (w.syscall < 0)
    return (w.state & ground::kTaskUninterruptible) != 0 ? "outside any call, uninterruptible (page fault)"
                                                         : "outside any call";
  const std::string name = ground::syscall_name(w.syscall);
  if (w.timed) return name + " for " + duration_text(Duration{static_cast<std::int64_t>(w.argument1 & INT64_MAX)});
  if (name == "futex") {
    const auto lock = locks.find(w.argument0);
    return "futex " + place_text(lock == locks.end() ? std::string_view() : lock->second, w.argument0);
  }
  // Calls whose first argument is a descriptor.
  for (const std::string_view call :
       {"read",    "write",     "readv",    "writev",   "pread64",  "pwrite64",      "recvfrom",    "sendto",
        "recvmsg", "sendmsg",   "accept",   "accept4",  "connect",  "epoll_wait",    "epoll_pwait", "epoll_pwait2",
        "fsync",   "fdatasync", "sendfile", "recvmmsg", "sendmmsg", "io_uring_enter"})
    if (name == call) return name + " on descriptor " + std::to_string(static_cast<std::int32_t>(w.argument0));
  return name;
}

void add_waits(const RequestDetail& d, const model::LockNames& locks, Time zero, Waterfall& out) {
  out.waits_left_out = d.waits_left_out;
  for (const auto& w : d.waits) {
    Wait wait;
    wait.left = w.left - zero;
    wait.runnable_known = known(w.runnable);
    wait.waited = (wait.runnable_known ? w.runnable : w.back) - w.left;
    wait.queued = wait.runnable_known ? w.back - w.runnable : Duration{};
    wait.what = wait_text(w, locks);
    if (!w.function.empty()) wait.what += " in " + shortened(printable(w.function), kFunction);
    if (!w.caller.empty()) wait.what += ", called from " + shortened(printable(w.caller), kFunction);
    if (w.waker != 0)
      wait.woken_by = "thread " + std::to_string(w.waker);
    else if (w.woken_in == formats::WokenIn::interrupt || w.woken_in == formats::WokenIn::soft_interrupt)
      wait.woken_by = "an interrupt";
    wait.missed = w.missed;
    out.waits.push_back(std::move(wait));
  }
}

void add_events(const RequestDetail& d, Time zero, std::vector<std::string>& out) {
  using enum model::ConnectionEvent::Kind;
  for (const auto& e : d.events) {
    const std::string at = offset_text(e.time, zero) + ", at the " + end_of(d) + ": ";
    switch (e.kind) {
      case retransmit:
        out.push_back(at + count_text(e.length, "byte", "bytes") + " retransmitted");
        break;
      case reset_sent:
        out.push_back(at + "reset sent");
        break;
      case reset_received:
        out.push_back(at + "reset received");
        break;
      case state_error:
        out.push_back(at + "connection failed: " + strerrordesc_np(e.error));
        break;
      case loss:
        out.push_back(at + (e.length == 0 ? "an unknown number of events" : count_text(e.length, "event", "events")) +
                      " lost up to here");
        break;
    }
  }
  if (d.events_left_out != 0) out.push_back(count_text(d.events_left_out) + " more at the " + end_of(d));
}

void add_heads(const RequestDetail& d, std::vector<Head>& heads) {
  const auto& e = d.exchange;
  const auto fields = [](const model::Headers& headers, Head& head) {
    for (std::size_t i = 0; i < headers.size(); ++i)
      head.lines.push_back(printable(headers[i].name) + ": " + printable(headers[i].value));
  };
  const bool server = e.role == model::Role::server;
  Head request{std::string("Request head, as ") + (server ? "read" : "sent"), {}, e.request_headers_complete};
  request.lines.push_back((e.method.empty() ? "(method unknown)" : printable(e.method)) + " " +
                          (!e.target.empty()           ? printable(e.target) + " "
                           : has_operation(e.protocol) ? ""
                                                       : "(target unknown) ") +
                          std::string(model::name_of(e.protocol)));
  fields(e.request_headers, request);
  Head response{std::string("Response head, as ") + (server ? "sent" : "read"), {}, e.response_headers_complete};
  if (e.status != 0 || e.response_headers.size() != 0) {
    response.lines.push_back(e.status == 0 ? "(status unknown)" : "status " + std::to_string(e.status));
    fields(e.response_headers, response);
  }
  heads = {std::move(request), std::move(response)};
  const auto trailers = [&](std::string_view title, const model::Headers& of) {
    if (of.size() == 0) return;
    heads.push_back({std::string(title), {}, true});
    fields(of, heads.back());
  };
  trailers(server ? "Request trailers, as read" : "Request trailers, as sent", e.request_trailers);
  trailers(server ? "Response trailers, as sent" : "Response trailers, as read", e.response_trailers);
}

}  // namespace

namespace {

constexpr std::size_t kLinesOfThread = 40;
constexpr std::size_t kLinesOfRequest = 10;

// A thread can have thousands of intervals: the longest get lines, ordered by time, the others are summed.
void choose_lines(WaterfallLane& lane, Duration span) {
  std::vector<std::size_t> order(lane.bars.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return lane.bars[i].length; });
  std::size_t n = std::min(order.size(), kLinesOfThread);
  while (n > kLinesOfRequest && lane.bars[order[n - 1]].length < span / 200) --n;
  Duration rest{};
  for (std::size_t i = n; i < order.size(); ++i) rest += lane.bars[order[i]].length;
  if (order.size() > n)
    lane.others =
        count_text(order.size() - n, "shorter interval, ", "shorter intervals, together ") + duration_text(rest);
  order.resize(n);
  std::ranges::sort(order);
  lane.listed = std::move(order);
}

}  // namespace

Waterfall waterfall(const model::Detail& detail, const model::Study& study) {
  Waterfall out;
  const auto& d = detail.request;
  out.title = title_of(d);
  add_facts(detail, study, out.facts);
  out.zero = known(d.row.start) ? d.row.start : study.begin;
  if (detail.peer && known(detail.peer->row.start)) out.zero = std::min(out.zero, detail.peer->row.start);
  for (const auto* end : {&d, detail.peer ? &*detail.peer : nullptr})
    if (end && setup_on_axis(*end)) out.zero = std::min(out.zero, end->setup->began());
  add_setup_lane(d, out.zero, out.lanes);
  add_lanes(detail, d, out.zero, out.lanes);
  add_milestones(d, out.zero, out.milestones);
  add_events(d, out.zero, out.events);
  add_files(d, out.zero, out.files, out.files_notes);
  if (detail.peer) {
    const bool client_last = d.row.role == model::Role::server && detail.peer->row.role == model::Role::client;
    const std::size_t own = out.lanes.size();
    add_setup_lane(*detail.peer, out.zero, out.lanes);
    add_lanes(detail, *detail.peer, out.zero, out.lanes);
    // Ordered as the request travels: the client's lanes above the server's.
    if (client_last)
      std::rotate(out.lanes.begin(), out.lanes.begin() + static_cast<std::ptrdiff_t>(own), out.lanes.end());
    add_milestones(*detail.peer, out.zero, out.milestones);
    add_events(*detail.peer, out.zero, out.events);
    add_files(*detail.peer, out.zero, out.files, out.files_notes);
  }
  for (WaterfallLane& lane : lanes_below(detail, out.zero, out.beside)) out.lanes.push_back(std::move(lane));
  std::ranges::stable_sort(out.milestones, {}, &Milestone::at);
  for (const auto& lane : out.lanes)
    for (const auto& bar : lane.bars) out.span = std::max(out.span, bar.from + bar.length);
  if (out.lanes.empty()) {
    const bool reset = d.exchange.reset && !d.row.has_duration;
    out.no_lanes = reset ? "the stream was reset before the response was whole"
                         : "the beginning or the end of the request was not seen";
    if (!out.milestones.empty()) out.span = out.milestones.back().at;
  }
  for (auto& lane : out.lanes) choose_lines(lane, out.span);
  add_waits(d, detail.locks, out.zero, out);
  const auto facts = call_facts(detail, out.zero, out.span);
  const auto before = std::ranges::find_if(out.facts, [](const FactLine& f) { return f.label == "began"; });
  out.facts.insert(before, facts.begin(), facts.end());
  out.messages = call_messages(detail, out.zero, out.span);
  add_heads(d, out.heads);
  return out;
}

}  // namespace tailcap::report
