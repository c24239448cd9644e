// tailcap events: what was recorded, event by event.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/event_window.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/pipeline/replay.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"
#include "analyze/views/events/event_text.h"
#include "analyze/views/events/stopped_worlds.h"
#include "formats/machine.h"
#include "formats/nearest.h"

namespace tailcap::cli::events_command {
namespace {

using formats::Event;
using formats::Kind;

constexpr const char* kNotes =
    R"(Output: seconds since the start, process/thread, kind, and what was seen. Payload is escaped and cut.
Events come in the order of the file: nearly, not strictly, in order of time.

examples:
  tailcap events slow.tcap | less
  tailcap events slow.tcap --kind send --kind receive --pid 4711
  tailcap events slow.tcap --json | jq -r .kind | sort | uniq -c
)";

constexpr Definition kKind{"kind", 0, "K", "only events of this kind (repeatable). Kinds: ", 0};
constexpr Definition kSocket{"socket", 0, "ID", "only events of this socket", 0};
constexpr Definition kTid{"tid", 0, "TID", "only events of this thread (repeatable)", 0};

constexpr std::size_t kKinds = std::variant_size_v<formats::Body> + 2;  // Io and TlsIo are two each

std::vector<std::string_view> kinds() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kKinds; ++i) names.push_back(formats::name_of(static_cast<Kind>(i)));
  return names;
}

std::string listed_kinds() {
  std::string out;
  for (const std::string_view name : kinds()) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

struct Arguments {
  std::string file, format;
  EventRange range;
  std::vector<std::string> kinds;
  std::optional<std::uint64_t> socket, limit;
  std::vector<std::uint32_t> pids, tids;
};

bool among(const std::vector<std::uint32_t>& ids, std::uint32_t id) {
  return ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::optional<formats::SocketId> socket_of(const Event& event) {
  return std::visit(
      [](const auto& body) -> std::optional<formats::SocketId> {
        if constexpr (requires { body.socket; })
          return body.socket;
        else
          return std::nullopt;
      },
      event.body);
}

class EventChoice {
 public:
  explicit EventChoice(const Arguments& a) : a_(a) {
    for (const auto& name : a.kinds) kinds_[number_of(name)] = true;
  }

  bool operator()(const Event& event) const {
    if (!a_.kinds.empty() && !kinds_[static_cast<std::size_t>(formats::kind_of(event))]) return false;
    if (!among(a_.pids, formats::number_of(event.thread.pid))) return false;
    if (!among(a_.tids, formats::number_of(event.thread.tid))) return false;
    return !a_.socket || socket_of(event) == a_.socket;
  }

 private:
  static std::size_t number_of(const std::string& name) {
    const auto names = events_command::kinds();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    const std::string meant = formats::suggestion(name, names);
    throw UsageError("there is no kind '" + report::printable(name) + "'" +
                     (meant.empty() ? ". There are " + listed_kinds() : meant));
  }
  const Arguments& a_;
  bool kinds_[kKinds] = {};
};

// "+12.345678901": every nanosecond, so that lines can be compared with the times inside events.
std::string offset(formats::Time t, formats::Time first) {
  const std::int64_t ns = (t - first).count();
  const auto u = static_cast<unsigned long long>(ns < 0 ? -ns : ns);
  char text[40];
  std::snprintf(text, sizeof text, "%c%llu.%09llu", ns < 0 ? '-' : '+', u / 1'000'000'000, u % 1'000'000'000);
  return text;
}

int run(const Arguments& a) {
  const EventChoice wanted(a);
  EventWindow window(a.range);
  pipeline::Replay replay(a.file);
  const auto summary = replay.summary();
  window.begin(replay.preamble(), summary.first);
  views::StoppedWorlds stopped;
  LineOutput out;
  std::uint64_t shown = 0, lost = 0;
  bool any = false;
  replay.each([&](const Event& event) -> bool {
    window.push(event);
    if (const auto* l = std::get_if<formats::Loss>(&event.body)) lost += l->count;
    stopped.push(event);
    if (!wanted(event) || !window.holds(event)) return true;
    any = true;
    if (a.limit && shown++ == *a.limit) return false;
    if (a.format == "json") {
      views::append_event(out.buffer(), event, window.clock(), stopped.contains(event.thread.pid));
      return out.end_line();
    }
    return out.line(offset(event.time, summary.first) + "  " + report::pid_text(event.thread.pid) + "/" +
                    report::pid_text(event.thread.tid) + "  " + views::event_text(event));
  });
  out.flush();
  if (!any) return nothing_matches("events", "event");
  return exit_code(summary, "events", lost);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("events", "tailcap events prints the raw events, one per line.");
  line.capture(a.file);
  line.group("Which events?");
  line.option(kKind, &a.kinds, kKind.text + listed_kinds());
  line.completes(kKind, kinds());
  line.option(kSocket, &a.socket);
  line.option(option::kPid, &a.pids);
  line.option(kTid, &a.tids);
  add_event_range(line, a.range);
  line.option(option::kLimit, &a.limit);
  line.group("In which form?");
  line.format(a.format, {"text", "json"}, nullptr, "json: an object per line");
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli::events_command
