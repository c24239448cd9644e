#include "analyze/report/request/held_up.h"

#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr std::string_view kOfStream = "#e69f00", kOfConnection = "#cc79a7";

std::string times(std::uint64_t n) { return n == 1 ? "once" : count_text(n) + " times"; }

std::string waited(const char* who, const model::WindowWaits& waits) {
  const Duration of_stream = waits.total - waits.of_connection;
  std::string text = std::string(who) + " waited " + duration_text(waits.total) + " for its receiver to make room (" +
                     times(waits.count) + "; flow-control window of the ";
  if (waits.of_connection.count() == 0)
    text += "stream";
  else if (of_stream.count() == 0)
    text += "connection";
  else
    text += "stream " + duration_text(of_stream) + ", of the connection " + duration_text(waits.of_connection);
  return text + ")";
}

void add_bars(const char* who, const model::WindowWaits& waits, Time zero, WaterfallLane& lane) {
  std::uint64_t n = 0;
  for (const auto& w : waits.listed) {
    if (!model::held_up(w) || w.to <= w.from) continue;
    lane.bars.push_back({std::string(who) + (w.connection ? ": connection full" : ": stream full"),
                         std::string(w.connection ? kOfConnection : kOfStream),
                         w.from - zero,
                         w.to - w.from,
                         {}});
    ++n;
  }
  if (waits.count > n) lane.others = count_text(waits.count - n, "more", "more");
}

std::string one(const model::HeldUp& held, const char* one_did, const char* many_did, const char* at_most) {
  return count_text(held.count, "request ", "requests ") + (held.count == 1 ? one_did : many_did) + ", " + at_most +
         (held.count == 1 ? "" : "median ") + duration_text(held.median) +
         (held.count == 1 ? "" : ", longest " + duration_text(held.longest));
}

}  // namespace

void add_held_up_facts(const model::RequestDetail& d, std::vector<FactLine>& facts) {
  const auto& e = d.exchange;
  const auto& row = d.row;
  const auto add = [&](const char* label, std::string text, Tone tone = Tone::plain) {
    facts.push_back({tone, label, std::move(text)});
  };
  if (row.request_flow_control > 0) add("held up", waited("the request", e.request_window_waits), Tone::care);
  if (row.response_flow_control > 0) add("held up", waited("the response", e.response_window_waits), Tone::care);
  if (row.behind_others_bytes > 0)
    add("its turn",
        "at most " + duration_text(Duration{row.behind_others}) + " behind " +
            bytes_text(static_cast<std::uint64_t>(row.behind_others_bytes)) +
            " of other streams on the connection (inferred: whether it had anything to send then is not seen)");
  if (row.stream_limit >= 0)
    add("its place",
        "opened as soon as another stream was over: " +
            (e.stream_limit ? count_text(e.stream_limit->limit) : std::string("as many as the server allows")) +
            " were open, the server's limit; it may have waited for that before it began, " +
            duration_text(Duration{row.stream_limit}) + " at most (inferred)");
  if (row.pushed) add("pushed", "promised by the server: this request was not sent, it begins with the promise");
  if (row.attempt == 1 && row.attempt_of.connection == 0 && row.attempt_how != model::AttemptEvidence::none)
    add("attempt", "the first of several of one call (" + std::string(model::name_of(row.attempt_how)) + ")");
  else if (row.attempt != 0)
    add("attempt", count_text(row.attempt) + " of the call that " +
                       (row.attempt_of.connection != 0 ? "began as " + id_text(row.attempt_of)
                                                       : "began with a request that is not known") +
                       " (" + std::string(model::name_of(row.attempt_how)) + ")");
  if (row.from_peer != 0) {
    std::string names;
    for (const auto name : model::names_of_filled(row.from_peer))
      names += (names.empty() ? "" : ", ") + std::string(name);
    add("other end", "says what header compression left unknown here: " + names);
  }
}

WaterfallLane held_up_lane(const model::RequestDetail& d, Time zero) {
  WaterfallLane lane{
      "waiting for the receiver's window, at the " + std::string(model::name_of(d.row.role)), {}, {}, {}};
  if (d.row.request_flow_control > 0) add_bars("request", d.exchange.request_window_waits, zero, lane);
  if (d.row.response_flow_control > 0) add_bars("response", d.exchange.response_window_waits, zero, lane);
  return lane;
}

std::string held_up_text(const model::RouteStudy& route) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (route.flow_control.count != 0)
    add(one(route.flow_control, "waited for its receiver's window", "waited for their receiver's window", ""));
  if (route.behind_others.count != 0)
    add(one(route.behind_others, "was behind bytes of other streams", "were behind bytes of other streams",
            "at most "));
  if (route.stream_limit.count != 0)
    add(one(route.stream_limit, "was opened at the limit of streams", "were opened at the limit of streams",
            "having waited at most "));
  return text;
}

}  // namespace tailcap::report
