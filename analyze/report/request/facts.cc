#include "analyze/report/request/facts.h"

#include <cstring>
#include <string>

#include "analyze/model/figure/figure.h"
#include "analyze/model/study/split.h"
#include "analyze/report/request/course.h"
#include "analyze/report/request/held_up.h"
#include "analyze/report/request/setup_text.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/event.h"

namespace tailcap::report {
namespace {

using formats::known;
using model::RequestDetail;

std::string carrier_text(const model::Connection& c) {
  if (c.carrier == 0) return "unbound: the connection that carries it is not known";
  return "carried by connection " + std::to_string(c.carrier) + ", bound by " +
         (c.how == model::BindingHow::nested ? "nested calls" : "the lengths of records");
}

std::string connection_text(const RequestDetail& d, Time begin) {
  const auto& c = d.connection;
  std::string text = "number " + std::to_string(d.row.id.connection) + ", ";
  text += c.family == formats::Family::unix_domain ? "UNIX"
          : c.family == formats::Family::unknown   ? "unknown family"
                                                   : "TCP";
  text += ", " + printable(model::endpoint(c, false)) + (d.row.role == model::Role::server ? " from " : " to ") +
          printable(model::endpoint(c, true));
  text += "; request " + std::to_string(d.row.id.index) + " on it";
  if (c.tls) text += "; over TLS (" + std::string(model::name_of(c.library)) + "), " + carrier_text(c);
  if (c.origin == formats::Origin::existed) text += "; it was open when the recording began";
  if (known(c.established)) text += "; established " + offset_text(c.established, begin);
  if (known(c.connect_started) && known(c.established) && c.established >= c.connect_started)
    text += " after " + duration_text(c.established - c.connect_started);
  if (known(c.closed)) text += "; closed " + offset_text(c.closed, begin);
  if (c.error != 0) text += std::string("; ended with: ") + strerrordesc_np(c.error);
  if (c.reset_received) text += "; a reset was received on it";
  if (c.reset_sent) text += "; a reset was sent on it";
  text += "; " + bytes_text(c.bytes_in) + " in, " + bytes_text(c.bytes_out) + " out";
  if (c.lost_in + c.lost_out != 0) text += ", " + bytes_text(c.lost_in + c.lost_out) + " of it not seen";
  if (c.retransmits != 0)
    text += "; " + count_text(c.retransmits, "segment", "segments") + " retransmitted in its life";
  return text;
}

std::string bytes_or_unknown(std::int64_t n) { return n < 0 ? "unknown" : bytes_text(static_cast<std::uint64_t>(n)); }

// The network's share of the time, as seen from the client, which measured it.
std::string split_text(const model::Detail& detail, const model::Study& study) {
  if (!detail.peer) return {};
  const bool server = detail.request.row.role == model::Role::server;
  const model::Request &mine = detail.request.row, &other = detail.peer->row;
  const auto split =
      model::split_of(server ? other : mine, server ? mine : other, model::ClockErrors(study.quality.preamble));
  if (!split) return {};
  std::string text = "network out " + duration_text(split->out) + ", server " + duration_text(split->server) +
                     ", network back " + duration_text(split->back);
  if (split->error < 0)
    text += "; without bounds: the machines' clocks were aligned by their wall clocks only";
  else if (split->error > 0)
    text += "; network times ± " + duration_text(Duration{split->error}) + ", the uncertainty of the machines' clocks";
  return text;
}

std::string ordinal(std::uint32_t n) {
  const char* end = n % 100 / 10 == 1 ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
  return count_text(n) + end;
}

// The trace, and when it became known. It applies to the earlier part, too.
std::string trace_text(const RequestDetail& d) {
  std::string text = printable(model::trace_id_in(d.trace));
  if (!d.bound) return text + ", by " + std::string(model::name_of(d.row.trace_format));
  const model::TraceBinding& b = *d.bound;
  const bool server = d.row.role == model::Role::server;
  text += ", bound at byte " + count_text(b.byte) + " of the request (seq " + std::to_string(b.sequence) +
          "), the end of " + printable(b.field);
  if (b.part > 0) {
    text += b.parts == 1 ? server ? ", in its only segment" : ", in the only call that sent its head"
                         : ", in the " + ordinal(b.part) + " of " + count_text(b.parts) +
                               (server ? " segments" : " calls that sent its head");
    if (known(b.at) && known(d.row.start))
      text += (server ? ", which arrived at +" : ", at +") + duration_text(b.at - d.row.start);
  }
  if (known(b.read) && known(d.row.start) && b.read > b.at) text += ", read at +" + duration_text(b.read - d.row.start);
  return text + (b.parts > 1 || b.read > d.row.start ? "; what happened before it carries it, too" : "");
}

}  // namespace

void add_facts(const model::Detail& detail, const model::Study& study, std::vector<FactLine>& facts) {
  const auto& d = detail.request;
  const auto& row = d.row;
  const auto add = [&](std::string label, std::string text, Tone tone = Tone::plain) {
    facts.push_back({tone, std::move(label), std::move(text)});
  };
  const bool failed = row.outcome != model::Outcome::ok && row.outcome != model::Outcome::upgraded;
  const bool broken = row.reset_after >= 0 && !row.has_duration;
  const std::string error_code = d.exchange.store ? d.exchange.store->error_code : "";
  add("result", outcome_text(row, error_code) + (row.complete || broken ? "" : "; not seen completely"),
      failed ? Tone::care : Tone::plain);
  std::string took = row.has_duration ? duration_text(row.duration) + " (" + exact_text(row.duration) + ")"
                                      : "unknown: its first or last byte was not seen";
  if (row.outcome == model::Outcome::in_flight && known(row.start) && study.end > row.start)
    took = "at least " + duration_text(study.end - row.start) + ": it had not ended when the recording did";
  if (row.at_least >= 0 && known(row.start))
    took = "at least " + duration_text(Duration{row.at_least}) + " (≥ " + exact_text(Duration{row.at_least}) +
           "): it broke off then";
  else if (row.at_least >= 0)
    took = "at least " + duration_text(Duration{row.at_least}) + " (≥ " + exact_text(Duration{row.at_least}) +
           "): its beginning was not seen";
  if (broken)
    took = "none: it was broken off after " + duration_text(Duration{row.reset_after}) + " (" +
           exact_text(Duration{row.reset_after}) + ")";
  if (row.first_byte.count() >= 0) took += "; first byte of the response after " + duration_text(row.first_byte);
  add("duration", took, row.has_duration ? Tone::plain : Tone::care);
  const std::string labels = labels_text(d), where = labels.empty() ? dominant_text(row, {}) : labels;
  if (!where.empty()) add("mostly", where);
  const auto& q = study.quality;
  std::string began = offset_text(row.start, study.begin) + " in the recording";
  if (known(row.start) && q.clock.known()) began = utc_text(q.clock.realtime(row.start), 6) + ", " + began;
  add("began", began);
  add(row.role == model::Role::server ? "served by" : "made by",
      (d.comm.empty() ? "?" : printable(d.comm)) + ", process " + pid_text(row.pid) +
          (d.exchange.reader.tid == d.exchange.writer.tid || d.exchange.reader.tid == 0 || d.exchange.writer.tid == 0
               ? ", thread " + pid_text(row.tid)
               : ", read by thread " + pid_text(d.exchange.reader.tid) + ", answered by thread " +
                     pid_text(d.exchange.writer.tid)));
  if (!d.handler.empty()) add("handler", printable(d.handler));
  if (!d.route.empty()) add("route", printable(d.route));
  if (!d.authority.empty()) add("host", printable(d.authority));
  if (!d.request_id.empty()) add("request id", printable(d.request_id));
  if (!d.trace.empty()) add("trace", trace_text(d));
  add("protocol", std::string(model::name_of(row.protocol)) + (row.tls ? " in TLS" : ""));
  add("bodies",
      "request " + bytes_or_unknown(row.request_bytes) + ", response " + bytes_or_unknown(row.response_bytes));
  if (d.exchange.outcome == model::Outcome::upgraded)
    add("after it", bytes_text(d.exchange.opaque_in) + " in and " + bytes_text(d.exchange.opaque_out) +
                        " out in the protocol switched to");
  add("connection", connection_text(d, study.begin),
      d.connection.error != 0 || d.connection.reset_received ? Tone::care : Tone::plain);
  if (const std::string text = setup_text(d); !text.empty()) add("set-up", text);
  if (detail.peer)
    add("other end",
        "recorded too: " + id_text(detail.peer->row.id) + ", " +
            (detail.peer->comm.empty() ? "?" : printable(detail.peer->comm)) + ", process " +
            pid_text(detail.peer->row.pid) +
            (detail.peer->row.has_duration ? ", took " + duration_text(detail.peer->row.duration) + " there" : ""));
  else
    add("other end", "not found in this capture");
  if (const std::string text = split_text(detail, study); !text.empty()) add("split", text);
  add_held_up_facts(d, facts);
  if (const auto& s = d.samples) {
    std::string text = s->count == 0 ? "no sample of the CPU fell into it"
                                     : count_text(s->count, "sample", "samples") +
                                           " of the CPU; innermost most often: " + shortened(printable(s->top), 80) +
                                           " (" + share_text(s->of_top, s->count) + ")";
    if (s->function)
      text += "; " + share_text(s->function->inside, s->count) + " in " + shortened(printable(s->function->name), 80) +
              " and what it called";
    if (s->count > 0) text += "; tailcap flame FILE " + id_text(d.row.id) + " -o OUT.svg";
    add("samples", std::move(text));
  }
  if (const auto& p = d.preempted; p && p->count > 0)
    add("preempted", "by Go's scheduler " + count_text(p->count, "time", "times") + "; innermost most often: " +
                         shortened(printable(p->top), 80) + " (" + share_text(p->of_top, p->count) + ")");
  for (const auto taint : taints_in(row.taints))
    add("flagged", std::string(text_of(taint)) + " (" + std::string(model::name_of(taint)) + ")", Tone::care);
}

}  // namespace tailcap::report
