// `tailcap show --json` and its schema.
#include <algorithm>

#include "analyze/model/wire/trace_formats.h"
#include "analyze/report/json/function_json.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/json/request_schema.h"
#include "analyze/report/logs/log_json.h"
#include "analyze/report/request/files.h"
#include "analyze/report/request/show.h"
#include "analyze/report/request/show_shape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "formats/fields/names.h"
#include "ground/syscalls.h"

namespace tailcap::report {
namespace of_show {
namespace {

using formats::known;
using formats::Time;
using model::ConnectionEvent;
using model::Course;
using model::GrpcFacts;
using model::GrpcMessage;
using model::Instants;
using model::LabelledStretch;
using model::RequestDetail;
using model::RequestSamples;
using model::StreamReset;
using model::ThreadWait;
using model::TraceBinding;
using Wire = model::Connection;

// What one end of the connection is written from.
struct Context {
  const RequestDetail& end;
  const model::Study& study;
  const model::RequestTable& table;
  const model::WallClock& clock;
  operator model::NamedBlockers() const { return model::NamedBlockers(table.partitions); }
  operator FilesFrom() const { return {end.row.start}; }
};
template <class T>
using EndShape = Shape<T, Context>;

// From the start of the request; null: one of the two is not known.
std::optional<std::int64_t> offset(const Context& c, Time t) {
  return when(known(t) && known(c.end.row.start), (t - c.end.row.start).count());
}
template <class T>
auto offset_of(Time T::*member) {
  return [member](const T& from, const Context& c) { return offset(c, from.*member); };
}

std::string request_of(const RequestDetail& d, const Context& c) {
  RequestExtras extras;
  extras.local = d.local;
  extras.remote = d.remote;
  extras.with_headers = true;
  const auto& e = d.exchange;
  if (e.request_headers_complete || e.request_headers.size() != 0) extras.request_headers = &e.request_headers;
  if (e.response_headers_complete || e.response_headers.size() != 0) extras.response_headers = &e.response_headers;
  if (e.request_trailers.size() != 0) extras.request_trailers = &e.request_trailers;
  if (e.response_trailers.size() != 0) extras.response_trailers = &e.response_trailers;
  std::string out;
  append_request(out, c.table, d.row, c.clock, extras);
  return out;
}

// What travels with the trace: of all fields of that name, in order.
model::Members members(const RequestDetail& d, std::string_view name, model::Members (*parse)(std::string_view)) {
  const auto lower = [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y; };
  model::Members out;
  const model::Headers& fields = d.exchange.request_headers;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (std::ranges::equal(fields[i].name, name, lower))
      for (const auto& member : parse(fields[i].value)) out.push_back(member);
  return out;
}

const EndShape<TraceBinding> kBound{
    "trace_bound",
    {
        {"field", &TraceBinding::field, "whose value names the trace"},
        {"byte", &TraceBinding::byte, "the value's last one, from the request's first"},
        {"sequence", &TraceBinding::sequence, "of that byte"},
        {"part", [](auto& b) { return when(b.part > 0, b.part); },
         "which segment of the head brought it, at a client which call sent it; null: not seen"},
        {"parts", [](auto& b) { return when(b.part > 0, b.parts); }},
        {"at_ns", offset_of(&TraceBinding::at)},
        {"read_ns", offset_of(&TraceBinding::read)},
    }};

const EndShape<Instants> kInstants{"message_instants",
                                   {
                                       {"first_arrived_ns", offset_of(&Instants::first_arrived)},
                                       {"last_arrived_ns", offset_of(&Instants::last_arrived)},
                                       {"first_done_ns", offset_of(&Instants::first_done), "read or sent"},
                                       {"last_done_ns", offset_of(&Instants::last_done)},
                                   }};

const EndShape<model::Exchange> kAllInstants{
    "instants",
    {
        {"request", kInstants, &model::Exchange::request},
        {"response", kInstants, &model::Exchange::response},
        {"request_head_done_ns", offset_of<model::Exchange>(&model::Exchange::request_head_done)},
        {"request_body_arrived_ns", offset_of<model::Exchange>(&model::Exchange::request_body_arrived)},
        {"continue_done_ns", offset_of<model::Exchange>(&model::Exchange::continue_done)},
        {"predecessor_done_ns", offset_of<model::Exchange>(&model::Exchange::predecessor_done)},
    }};

const EndShape<GrpcMessage> kMessage{"message",
                                     {
                                         {"bytes", &GrpcMessage::length},
                                         {"compressed", &GrpcMessage::compressed},
                                         {"first_arrived_ns", offset_of(&GrpcMessage::first_arrived)},
                                         {"last_arrived_ns", offset_of(&GrpcMessage::last_arrived)},
                                         {"first_done_ns", offset_of(&GrpcMessage::first_done), "read or sent"},
                                         {"last_done_ns", offset_of(&GrpcMessage::last_done)},
                                     }};

const EndShape<GrpcFacts> kMessages{
    "messages",
    {
        {"messages", &GrpcFacts::messages, "whole ones"},
        {"compressed", &GrpcFacts::compressed, "of these"},
        {"bytes", &GrpcFacts::bytes, "of these, prefixes included"},
        {"exact", &GrpcFacts::exact, "false: the counts are lower bounds"},
        {"broken_off", &GrpcFacts::broken_off, "the body ended in the middle of a message"},
        {"listed", kMessage, &GrpcFacts::listed, "the first of them", {.most_items = GrpcFacts::kMaxListed}},
    }};

std::optional<std::int64_t> context_before_messages(const model::Exchange& e) {
  const auto& facts = e.request_grpc;
  if (!facts || facts->listed.empty() || facts->context != model::GrpcContext::head) return std::nullopt;
  const Time first = facts->listed.front().first_done;
  return when(known(first) && known(e.request_head_done), (first - e.request_head_done).count());
}

const EndShape<model::Exchange> kCall{
    "call",
    {
        {"trailers_only", [](auto& e) { return e.response_grpc && e.response_grpc->trailers_only; }},
        {"trace_context_before_messages_ns", context_before_messages,
         "from the request's head until its first message: read or sent"},
        {"request", kMessages, &model::Exchange::request_grpc},
        {"response", kMessages, &model::Exchange::response_grpc},
    }};

bool own(const StreamReset& r) { return r.by == formats::Direction::out; }
model::Role by(const StreamReset& r, const Context& c) {
  const bool server = (c.end.row.role == model::Role::server) == own(r);
  return server ? model::Role::server : model::Role::client;
}

const EndShape<StreamReset> kReset{
    "stream_reset",
    {
        {"code", &StreamReset::code, "null: not captured"},
        {"by", one_of<model::Role::client>(by)},
        {"goaway", &StreamReset::goaway, "the whole connection was ended"},
        {"unprocessed", &StreamReset::unprocessed, "certainly not acted upon"},
        {"arrived_ns", [](auto& r, auto& c) { return offset(c, own(r) ? formats::kNoTime : r.at); }},
        {"done_ns", offset_of(&StreamReset::done), "read or sent"},
    }};

struct Window {
  std::string_view message;
  const model::WindowWait* wait;
};
std::vector<Window> windows(const RequestDetail& d) {
  std::vector<Window> out;
  for (const auto& wait : d.exchange.request_window_waits.listed) out.push_back({"request", &wait});
  for (const auto& wait : d.exchange.response_window_waits.listed) out.push_back({"response", &wait});
  return out;
}

const EndShape<Window> kWindow{
    "window_wait",
    {
        {"message", &Window::message, "whose sender had no room", {.values = {"request", "response"}}},
        {"window",
         [](auto& w) { return w.wait->connection ? "connection" : "stream"; },
         "",
         {.values = {"stream", "connection"}}},
        {"from_ns", [](auto& w, auto& c) { return offset(c, w.wait->from); }},
        {"to_ns", [](auto& w, auto& c) { return offset(c, w.wait->to); }},
        {"resumed_ns", [](auto& w, auto& c) { return offset(c, w.wait->resumed); }, "when the sender went on"},
        {"counted", [](auto& w) { return model::held_up(*w.wait); }, "soon enough to be in `flow_control_ns`"},
    }};

const EndShape<Wire> kTls{"tls",
                          {
                              {"library", [](auto& w) { return model::name_of(w.library); }},
                              {"carrier", or_null(&Wire::carrier), "the number of the connection end that carries it"},
                              {"bound_by", one_of<model::BindingHow::lengths>(&Wire::how)},
                          }};

const EndShape<Wire> kConnection{"connection",
                                 {
                                     {"number", [](auto&, auto& c) { return c.end.row.id.connection; }},
                                     {"connect_started_ns", &Wire::connect_started, "since 1970, as the next two"},
                                     {"established_ns", &Wire::established},
                                     {"closed_ns", &Wire::closed},
                                     {"error", or_null(&Wire::error), "the number of the error that ended it"},
                                     {"reset_received", &Wire::reset_received},
                                     {"reset_sent", &Wire::reset_sent},
                                     {"bytes_in", &Wire::bytes_in},
                                     {"bytes_out", &Wire::bytes_out},
                                     {"lost_in", &Wire::lost_in, "bytes that no event covers"},
                                     {"lost_out", &Wire::lost_out},
                                     {"retransmits", &Wire::retransmits},
                                     {"events_missed", &Wire::events_missed},
                                     {"tls", kTls, [](auto& w) { return where(w.tls, w); }},
                                 }};

const EndShape<LabelledStretch> kInterval{
    "interval",
    {
        {"from_ns", [](auto& s, auto& c) { return (s.from - c.end.row.start).count(); }},
        {"to_ns", [](auto& s, auto& c) { return (s.to - c.end.row.start).count(); }},
        {"label", [](auto& s) { return model::name_of(s.label); }},
        {"evidence", one_of<model::Evidence::sampled>(&LabelledStretch::evidence)},
        {blocker_shape(), &LabelledStretch::culprit},
    }};

const EndShape<Course::Call> kCourseCall{
    "course_call",
    {
        {"request", &Course::Call::request},
        {"on_path", &Course::Call::on_path, "it waited for it"},
        {"slack_ns", &Course::Call::slack, "off the critical path, how much longer it could have taken"},
    }};

const EndShape<RequestSamples> kSamples{
    "samples",
    {
        {"count", &RequestSamples::count},
        {"top", or_null(&RequestSamples::top), "the innermost function of most of them"},
        {"of_top", &RequestSamples::of_top},
        {"stack", or_null(&RequestSamples::stack), "of most of them"},
        {"of_stack", &RequestSamples::of_stack},
        {"function", function_shape(), &RequestSamples::function, "as in verdicts"},
    }};

const EndShape<ThreadWait> kWait{
    "wait",
    {
        {"left_ns", offset_of(&ThreadWait::left)},
        {"runnable_ns", offset_of(&ThreadWait::runnable)},
        {"back_ns", offset_of(&ThreadWait::back)},
        {"state", &ThreadWait::state},
        {"syscall",
         [](auto& w) { return w.syscall < 0 ? std::nullopt : std::optional(ground::syscall_name(w.syscall)); }},
        {"arguments", [](auto& w) { return std::pair(w.argument0, w.argument1); }, "of the call"},
        {"waker", or_null(&ThreadWait::waker)},
        {"woken_in", [](auto& w) { return formats::name_of(w.woken_in); }},
        {"timed", &ThreadWait::timed},
        {"missed", &ThreadWait::missed},
        {"function", or_null(&ThreadWait::function), "of the application, in which it waited; null: no stack"},
        {"called_from", or_null(&ThreadWait::caller)},
    }};

constexpr std::string_view kEventKinds[] = {"retransmit", "reset_sent", "reset_received", "error", "loss"};

const EndShape<ConnectionEvent> kEvent{"connection_event",
                                       {
                                           {"kind",
                                            [](auto& e) { return kEventKinds[static_cast<std::size_t>(e.kind)]; },
                                            "",
                                            {.values = {std::begin(kEventKinds), std::end(kEventKinds)}}},
                                           {"at_ns", offset_of(&ConnectionEvent::time)},
                                           {"length", &ConnectionEvent::length, "retransmit: bytes; loss: events"},
                                           {"error", or_null(&ConnectionEvent::error)},
                                       }};

bool files_recorded(const RequestDetail& d, const Context& c) {
  const auto& programs = c.study.quality.preamble.programs;
  return !d.files.empty() || std::ranges::any_of(programs, [](auto& name) { return name.starts_with("file_"); });
}

const Refer kStreamReset{[](auto& d) { return &d.exchange.reset; }};

const EndShape<RequestDetail>& end_shape() {
  static const EndShape<RequestDetail> shape{
      "end",
      {
          {"request", request_with_headers(), request_of, "as in requests --json, with header fields"},
          {"tracestate", [](auto& d) { return members(d, "tracestate", model::members_of_tracestate); },
           "pairs of key and value, as sent"},
          {"baggage", [](auto& d) { return members(d, "baggage", model::members_of_baggage); }},
          {"trace_bound", kBound, &RequestDetail::bound,
           "where its trace was seen; what happened before carries the trace, too. Null: no trace, or not HTTP/1 on "
           "TCP without TLS"},
          {"request_headers_complete", [](auto& d) { return d.exchange.request_headers_complete; }},
          {"response_headers_complete", [](auto& d) { return d.exchange.response_headers_complete; }},
          {"instants", kAllInstants, &RequestDetail::exchange, "from the request's start"},
          {"grpc", kCall, [](auto& d) { return where(model::is_call(d.row), d.exchange); }},
          {"reset", kReset, kStreamReset, "what broke the stream off"},
          {"window_waits", kWindow, windows, "for room in a window of HTTP/2: the first 64 of each message"},
          {"window_waits_left_out",
           [](auto& d) { return d.exchange.request_window_waits.more + d.exchange.response_window_waits.more; }},
          {"connection", kConnection, &RequestDetail::connection},
          {"course", kInterval, [](auto& d) { return d.course ? &d.course->stretches : nullptr; },
           "the labels in order of time, a partition, with who was behind each; null: not known"},
          {"calls", kCourseCall, [](auto& d) { return d.course ? &d.course->calls : nullptr; },
           "requests that it made"},
          {"files",
           file_shape(),
           [](auto& d, auto& c) { return where(files_recorded(d, c), d.files.calls); },
           "what it asked of files; null: recorded without --add files",
           {.most_items = model::FileCalls::kMaxKept}},
          {"files_left_out", [](auto& d, auto& c) { return when(files_recorded(d, c), d.files.more); }},
          {"files_doubtful", [](auto& d, auto& c) { return when(files_recorded(d, c), d.files.doubtful); },
           "by its event loop in its time, for it or for another request"},
          {"samples", kSamples, &RequestDetail::samples,
           "what processors were seen doing for it; null: no samples were taken, or it is not known whose they are"},
          {"preempted", kSamples, &RequestDetail::preempted, "likewise where Go's scheduler preempted its goroutine"},
          {"waits", kWait, &RequestDetail::waits, "of the thread; the names are those of `events`"},
          {"waits_left_out", &RequestDetail::waits_left_out},
          {"events", kEvent, &RequestDetail::events, "on its connection"},
          {"events_left_out", &RequestDetail::events_left_out},
      }};
  return shape;
}

const Description& end_description() { return end_shape(); }

using Shown = ShownRequest;
std::string end_of(const RequestDetail& d, const Shown& s) {
  std::string out;
  JsonWriter json(out);
  end_shape().write(json, d, Context{d, s.study, s.table, s.study.quality.clock});
  return out;
}
// From the first event on.
std::optional<std::int64_t> in_file(const Shown& s, Time t) {
  return when(known(t), (t - s.study.quality.file.first).count());
}

}  // namespace

const Shape<ShownRequest, Anywhere>& show_shape() {
  static const Shape<Shown, Anywhere> shape{
      "show",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"read_from_ns", [](auto& s) { return in_file(s, s.study.quality.read_from); },
           "only a part of what is before was read, from the first event on; null: all was"},
          {"read_until_ns", [](auto& s) { return in_file(s, s.study.quality.read_until); }, "as in `quality`"},
          {"end", end_description(), [](auto& s) { return end_of(s.detail.request, s); }},
          {"other_end", end_description(),
           [](auto& s) { return s.detail.peer ? std::optional(end_of(*s.detail.peer, s)) : std::nullopt; },
           "null: not recorded"},
          {logs_shape(), [](auto& s) { return s.detail.logs ? &*s.detail.logs : nullptr; }},
      }};
  return shape;
}

}  // namespace of_show

std::string json_show(const model::Detail& detail, const model::Study& study, const model::RequestTable& table) {
  return json_of(of_show::show_shape(), {detail, study, table}, Anywhere{});
}

}  // namespace tailcap::report
