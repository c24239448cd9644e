#include "analyze/report/request/calls.h"

#include <algorithm>
#include <iterator>

#include "analyze/report/words/call_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {

using formats::known;
using model::GrpcContext;
using model::GrpcDeadline;
using model::GrpcFacts;
using model::RequestDetail;
using model::Role;

namespace {

constexpr std::size_t kMessages = 24;  // listed of each direction
constexpr std::size_t kMisses = 5;     // listed of each method
constexpr int kUnimplemented = 12;

// One place on the axis.
struct TimeScale {
  Time zero;
  Duration span;
  std::string operator()(Time t) const { return place_text(t - zero, span); }
};

std::string message_count(const std::optional<GrpcFacts>& facts, const char* one, const char* many) {
  if (!facts) return std::string("unknown number of ") + many;
  std::string text = (facts->exact ? "" : "at least ") + count_text(facts->messages, one, many);
  if (facts->messages > 0) text += " (" + bytes_text(facts->bytes) + " with prefixes";
  if (facts->compressed > 0) text += ", " + count_text(facts->compressed) + " compressed";
  if (facts->messages > 0) text += ")";
  if (facts->broken_off) text += " and one that breaks off";
  return text;
}

// A call has a kind by its definition, which is not on the wire: one message each way is what a stream may look like.
std::string messages_text(const model::Exchange& e) {
  std::string text = message_count(e.request_grpc, "request message", "request messages") + ", " +
                     message_count(e.response_grpc, "response message", "response messages");
  const bool asked = e.request_grpc && e.request_grpc->messages > 1,
             answered = e.response_grpc && e.response_grpc->messages > 1;
  if (asked && answered)
    text += ": streams both ways";
  else if (asked)
    text += ": a stream of requests";
  else if (answered)
    text += ": a stream of responses";
  return text;
}

std::string status_line(const RequestDetail& d, Tone& tone) {
  const auto& row = d.row;
  const auto& facts = d.exchange.response_grpc;
  tone = row.grpc_status == 0 ? Tone::plain : Tone::care;
  if (row.grpc_status < 0) {
    if (row.outcome == model::Outcome::cancelled) return "none was seen: the client cancelled first";
    return row.status != 0 && row.status != 200 ? "none: it was answered by HTTP alone" : "none was seen";
  }
  std::string text = status_text(row.grpc_status);
  if (facts && !facts->message.empty()) text += ": " + printable(facts->message);
  if (facts && facts->trailers_only) text += "; in the response's head, without a body (trailers-only)";
  if (row.grpc_status == kUnimplemented && facts)
    if (const auto why = text_of(model::unimplemented_cause(facts->message)); !why.empty())
      text += "; " + std::string(why);
  return text;
}

const RequestDetail* end_with(const model::Detail& detail, Role role) {
  if (detail.request.row.role == role) return &detail.request;
  return detail.peer && detail.peer->row.role == role ? &*detail.peer : nullptr;
}

std::string deadline_line(const model::Detail& detail, const TimeScale& at, Tone& tone) {
  const auto& row = detail.request.row;
  const Duration timeout{row.grpc.timeout};
  const GrpcDeadline deadline = model::deadline_of(row);
  tone = deadline == GrpcDeadline::missed ? Tone::care : Tone::plain;
  std::string text = duration_text(timeout) + " from the first byte, that is until ";
  const auto *client = end_with(detail, Role::client), *server = end_with(detail, Role::server);
  const auto until = [&](const RequestDetail& d) {
    return known(d.row.start) ? at(d.row.start + timeout) : std::string("an unknown time");
  };
  if (client) text += until(*client) + " for the client";
  if (server) text += (client ? ", " : "") + until(*server) + " for the server";
  switch (deadline) {
    case GrpcDeadline::met:
      return text + "; met with " + duration_text(timeout - row.duration) + " left";
    case GrpcDeadline::missed:
      return text + "; missed";
    case GrpcDeadline::abandoned:
      return text + "; broken off before, after " + duration_text(Duration{row.reset_after});
    case GrpcDeadline::unknown:
    case GrpcDeadline::none:
      break;
  }
  return text + "; how it ended was not seen";
}

// The part of its answer that the server had sent when the stream was reset, as seen at this end.
std::string answered_by_then(const RequestDetail& d) {
  const auto& e = d.exchange;
  const char* const sent = d.row.role == Role::server ? "the server had sent " : "the client had read ";
  if (!known(e.response.first_done)) return std::string(sent) + "nothing of a response";
  const std::uint64_t n = e.response_grpc ? e.response_grpc->messages : 0;
  return std::string(sent) + "the response's head" + (n == 0 ? "" : " and " + count_text(n, "message", "messages"));
}

std::string reset_line(const model::Detail& detail, const TimeScale& at) {
  const auto *client = end_with(detail, Role::client), *server = end_with(detail, Role::server);
  const auto& reset = *detail.request.exchange.reset;
  const auto of = [](const RequestDetail* d) { return d && d->exchange.reset ? &*d->exchange.reset : nullptr; };
  const auto *sent = of(client), *got = of(server);
  const bool by_client = (detail.request.row.role == Role::client) == (reset.by == formats::Direction::out);
  if (!by_client)
    std::swap(sent, got), std::swap(client, server);  // from here on: the end that sent it, and the other end
  const std::string from = by_client ? "client" : "server", to = by_client ? "server" : "client";
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (sent && known(sent->done)) add("the " + from + " sent it at " + at(sent->done));
  if (got && got->by == formats::Direction::in && known(got->done)) {
    std::string part = known(got->at) && got->at != got->done
                           ? "it arrived at the " + to + " at " + at(got->at) + " and was read at "
                           : "the " + to + " read it at ";
    add(part + at(got->done));
  }
  // The end that did not know yet has the most information.
  if (by_client) add(answered_by_then(server ? *server : *client) + " by then");
  if (by_client && server) add("when its handler ended cannot be seen here");
  return "RST_STREAM " + reset_code_text(reset) + (text.empty() ? "" : ": " + text);
}

std::string context_line(const RequestDetail& d, Tone& tone) {
  const auto& e = d.exchange;
  const auto& listed = e.request_grpc->listed;
  switch (e.request_grpc->context) {
    case GrpcContext::head: {
      if (listed.empty() || !known(e.request_head_done) || !known(listed[0].first_done)) return "in the request's head";
      const Duration before = listed[0].first_done - e.request_head_done;
      return "in the request's head, " +
             (before.count() <= 0 ? "moved together with" : duration_text(before) + " before") + " the first message";
    }
    case GrpcContext::late:
      tone = Tone::care;
      return "only in the request's trailers, behind its messages";
    case GrpcContext::absent:
      return "none";
    case GrpcContext::unknown:
      break;
  }
  return "not known: header fields are missing";
}

// One end's facts about one message.
std::string moved_text(const model::GrpcMessage& m, bool in, const TimeScale& at) {
  const auto stretch = [&](Time first, Time last) {
    return known(first) && first < last ? at(first) + " to " + at(last) : at(last);
  };
  if (!in) return known(m.last_done) ? "sent " + stretch(m.first_done, m.last_done) : "sent, when is not known";
  std::string text;
  if (known(m.last_arrived)) text = "arrived " + stretch(m.first_arrived, m.last_arrived) + ", ";
  return text + (known(m.last_done) ? "read " + at(m.last_done) : "read, when is not known");
}

const std::optional<GrpcFacts>& grpc_facts(const RequestDetail& d, bool request) {
  return request ? d.exchange.request_grpc : d.exchange.response_grpc;
}

// "main.(*Cart).ServeHTTP", or several, with the number of requests that each served.
std::string handlers_line(const model::RouteStudy& route) {
  constexpr std::size_t kShown = 4;
  const auto& all = route.handlers;
  if (all.size() == 1 && all[0].second == route.count + route.incomplete)
    return shortened(printable(all[0].first), 200);
  std::string text;
  for (std::size_t n = 0; n < std::min(all.size(), kShown); ++n)
    text += (n > 0 ? ", " : "") + shortened(printable(all[n].first), 200) + " (" + count_text(all[n].second) + ")";
  return all.size() > kShown ? text + ", and " + count_text(all.size() - kShown) + " more" : text;
}

}  // namespace

std::vector<FactLine> call_facts(const model::Detail& detail, Time zero, Duration span) {
  std::vector<FactLine> out;
  const auto& d = detail.request;
  const auto& e = d.exchange;
  const TimeScale at{zero, span};
  const auto add = [&](const char* label, std::string text, Tone tone = Tone::plain) {
    out.push_back({tone, label, std::move(text)});
  };
  Tone tone = Tone::plain;
  if (model::is_call(d.row)) {
    if (const auto name = model::rpc_name(d.path))
      add("call", "method " + printable(name->method) + " of service " + printable(name->service));
    else if (d.path_known)
      add("call", "the path is not of the form /service/method", Tone::care);
    std::string text = status_line(d, tone);
    add("status", std::move(text), tone);
    add("messages", messages_text(e));
    if (d.row.grpc.timeout >= 0) {
      text = deadline_line(detail, at, tone);
      add("deadline", std::move(text), tone);
    }
  }
  if (e.reset && !e.reset->goaway)
    add(d.row.outcome == model::Outcome::cancelled ? "cancelled" : "reset", reset_line(detail, at), Tone::care);
  if (model::is_call(d.row) && e.request_grpc) {
    tone = Tone::plain;
    std::string text = context_line(d, tone);
    if (e.request_grpc->context != GrpcContext::absent) add("trace", std::move(text), tone);
  }
  return out;
}

CallMessages call_messages(const model::Detail& detail, Time zero, Duration span) {
  CallMessages out;
  if (!model::is_call(detail.request.row)) return out;
  const TimeScale at{zero, span};
  for (const bool request : {true, false}) {
    const auto *client = end_with(detail, Role::client), *server = end_with(detail, Role::server);
    const auto listed = [&](const RequestDetail* d) -> const std::vector<model::GrpcMessage>* {
      return d && grpc_facts(*d, request) ? &grpc_facts(*d, request)->listed : nullptr;
    };
    const auto *sent = listed(request ? client : server), *got = listed(request ? server : client);
    const std::size_t n = std::max(sent ? sent->size() : 0, got ? got->size() : 0);
    for (std::size_t i = 0; i < std::min(n, kMessages); ++i) {
      CallMessage m{(request ? "request " : "response ") + count_text(i + 1), {}, {}, {}};
      const auto* from = sent && i < sent->size() ? &(*sent)[i] : nullptr;
      const auto* to = got && i < got->size() ? &(*got)[i] : nullptr;
      const auto& any = from ? *from : *to;
      m.size = bytes_text(any.length) + (any.compressed ? ", compressed" : "");
      if (from) (request ? m.client : m.server) = moved_text(*from, false, at);
      if (to) (request ? m.server : m.client) = moved_text(*to, true, at);
      out.listed.push_back(std::move(m));
    }
    const auto total = [&](const RequestDetail* d) {
      return d && grpc_facts(*d, request) ? grpc_facts(*d, request)->messages : 0;
    };
    const std::uint64_t all = std::max(total(client), total(server));
    if (all > std::min(n, kMessages))
      out.others += (out.others.empty() ? "" : " and ") + count_text(all - std::min(n, kMessages),
                                                                     request ? "more request" : "more response",
                                                                     request ? "more requests" : "more responses");
  }
  return out;
}

namespace {

std::string statuses_line(const model::CallStudy& calls) {
  std::string text;
  const auto add = [&](const std::string& what, std::uint64_t n) {
    text += (text.empty() ? "" : ", ") + what + " " + count_text(n);
  };
  for (const auto& [status, n] : calls.statuses) add(status_text(status), n);
  if (calls.cancelled != 0) add("cancelled by the client", calls.cancelled);
  if (calls.without_status != 0) add("no status seen", calls.without_status);
  for (const auto& [cause, n] : calls.causes)
    if (cause != model::GrpcCause::unknown)
      text += "; UNIMPLEMENTED: " + std::string(text_of(cause)) + ", " + count_text(n);
  return text;
}

// When one end finished, from its own first byte: cancelled, or its last byte moved.
std::string end_text(const model::Request& row) {
  const std::string who = row.role == Role::server ? "server" : "client";
  if (row.has_duration)
    return who + (row.role == Role::server ? " answered after " : " had its answer after ") +
           duration_text(row.duration);
  if (row.reset_after < 0) return who + "'s end not seen";
  if (row.outcome != model::Outcome::cancelled)
    return who + ": reset after " + duration_text(Duration{row.reset_after});
  return who + (row.role == Role::server ? " received the cancellation after " : " gave up after ") +
         duration_text(Duration{row.reset_after});
}

std::string misses_line(const model::CallStudy& calls, const model::RequestTable& table) {
  std::string text = count_text(calls.with_deadline, "call had one", "calls had one") + ": met " +
                     count_text(calls.met) + ", missed " + count_text(calls.missed);
  if (calls.abandoned != 0) text += ", broken off before " + count_text(calls.abandoned);
  if (calls.deadline_unknown != 0) text += ", not known " + count_text(calls.deadline_unknown);
  for (std::size_t i = 0; i < std::min(calls.misses.size(), kMisses); ++i) {
    const auto row = table.rows[calls.misses[i].row];
    text += (i == 0 ? ". Missed: " : "; ") + id_text(row.id) + " (" + duration_text(Duration{row.grpc.timeout}) +
            "): " + end_text(row);
    if (calls.misses[i].peer)
      text += ", " + end_text(table.rows[*calls.misses[i].peer]);
    else
      text += ", the other end not found in this capture";
  }
  if (calls.missed > kMisses) text += "; and " + count_text(calls.missed - kMisses) + " more";
  return text;
}

std::string contexts_line(const model::CallStudy& calls) {
  std::string text;
  if (calls.context_missing != 0)
    text = count_text(calls.context_missing, "call", "calls") + " without, while others have it";
  if (calls.context_late != 0)
    text += (text.empty() ? "" : "; ") + count_text(calls.context_late, "call", "calls") + " only behind the messages";
  for (std::size_t i = 0; i < std::min(calls.context_faults.size(), kMisses); ++i)
    text += (i == 0 ? ": " : ", ") + id_text(calls.context_faults[i].id) + " (stream " +
            std::to_string(calls.context_faults[i].stream) + (calls.context_faults[i].late ? ", late)" : ")");
  if (calls.context_faults.size() > kMisses) text += ", …";
  return text;
}

}  // namespace

std::vector<FactLine> method_facts(const model::RouteStudy& route, const model::RequestTable& table) {
  std::vector<FactLine> out;
  if (!route.handlers.empty()) out.push_back({Tone::plain, "handler", handlers_line(route)});
  if (!route.calls) return out;
  const auto& calls = *route.calls;
  out.push_back({Tone::plain, "statuses", statuses_line(calls)});
  const auto messages = [&](std::uint64_t sum, std::uint64_t most, const char* one, const char* many) {
    return count_text(sum, one, many) + (most > 1 ? ", at most " + count_text(most) + " in a call" : "");
  };
  out.push_back({Tone::plain, "messages",
                 std::string(calls.messages_exact ? "" : "at least ") +
                     messages(calls.request_messages, calls.most_request_messages, "request", "requests") + "; " +
                     messages(calls.response_messages, calls.most_response_messages, "response", "responses")});
  if (calls.with_deadline != 0)
    out.push_back({calls.missed != 0 ? Tone::care : Tone::plain, "deadlines", misses_line(calls, table)});
  if (calls.context_missing + calls.context_late != 0) out.push_back({Tone::care, "trace", contexts_line(calls)});
  return out;
}

}  // namespace tailcap::report
