// tailcap events: what was recorded, event by event.
#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/report/escape.h"
#include "analyze/report/words.h"
#include "analyze/views/events/event_text.h"
#include "analyze/views/events/stopped_worlds.h"
#include "formats/machine.h"
#include "formats/printable.h"
#include "formats/reader.h"

namespace po = boost::program_options;

namespace tailcap::cli {
namespace {

using formats::Event;
using formats::Kind;

constexpr const char* kHelp =
    R"(tailcap events prints what was recorded, event by event, for those who do not believe the rest.

usage: tailcap events FILE [OPTION...]

Which events?
      --kind K         of this kind; may be repeated. Kinds: send, receive, arrival, retransmit, reset, state_change,
                       accept, socket_info, off_cpu, task_start, task_exec, task_exit, task_info, mapping, clock, loss,
                       recorder_cost, program_cost, capture_end, damage, tls_send, tls_receive, tls_step, probe,
                       go_create, go_runtime, go_state, go_handler, go_program, stall, cpu_quota, go_call, sample,
                       go_exit, go_panic, oom_kill, go_build, go_channel, go_allocations,
                       file_call, note, net_interface, masking
      --socket ID      of this socket
      --pid N          of this process
      --tid N          of this thread
      --from T, --to T in [from, to): since the start (10s, 1500ms, 2m) or UTC (2026-03-01T12:34:56Z)
      --limit N        at most N

In which form?
      --json           a JSON object per line; docs/JSON.md describes the names
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help           this

Output: seconds since the start, process/thread, kind, and what was seen. Payload is escaped and cut.
Events come in the order of the file: nearly, not strictly, in order of time.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap events slow.tcap | less
  tailcap events slow.tcap --kind send --kind receive --pid 4711
  tailcap events slow.tcap --json | jq -r .kind | sort | uniq -c
)";

struct Arguments {
  std::vector<std::string> files, kinds;
  std::string from, to;
  std::optional<std::uint64_t> socket, limit;
  std::optional<std::uint32_t> pid, tid;
  bool json = false;
};

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

class Wanted {
 public:
  Wanted(const Arguments& a, formats::Time first) : a_(a), first_(first) {
    for (const auto& name : a.kinds) kinds_[number_of(name)] = true;
    if (!a.from.empty()) from_ = moment_of(a.from);
    if (!a.to.empty()) to_ = moment_of(a.to);
  }

  bool operator()(const Event& event, const flow::WallClock& clock) const {
    if (!a_.kinds.empty() && !kinds_[static_cast<std::size_t>(formats::kind_of(event))]) return false;
    if (a_.pid && formats::number_of(event.thread.pid) != *a_.pid) return false;
    if (a_.tid && formats::number_of(event.thread.tid) != *a_.tid) return false;
    if (a_.socket && socket_of(event) != a_.socket) return false;
    if (from_ && position(event, *from_, clock) < from_->nanoseconds) return false;
    return !to_ || position(event, *to_, clock) < to_->nanoseconds;
  }

 private:
  static std::size_t number_of(const std::string& name) {
    for (std::size_t i = 0; i < kKinds; ++i)
      if (formats::name_of(static_cast<Kind>(i)) == name) return i;
    throw UsageError("there is no kind '" + report::printable(name) + "'");
  }
  std::int64_t position(const Event& event, const pipeline::Moment& moment, const flow::WallClock& clock) const {
    return moment.absolute ? clock.realtime(event.time) : (event.time - first_).count();
  }

  static constexpr std::size_t kKinds = std::variant_size_v<formats::Body> + 2;  // Io and TlsIo are two each
  const Arguments& a_;
  formats::Time first_;
  bool kinds_[kKinds] = {};
  std::optional<pipeline::Moment> from_, to_;
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
  formats::Reader reader(a.files[0]);
  const auto summary = reader.summary();
  const Wanted wanted(a, summary.first);
  flow::WallClock clock;
  if (reader.preamble().started_realtime > 0)
    clock.add(reader.preamble().started, reader.preamble().started_realtime, {});
  views::StoppedWorlds stopped;
  LineOutput out;
  std::uint64_t shown = 0, lost = 0;
  bool more = true, any = false;
  for (auto events = reader.next(); more && !events.empty(); events = reader.next()) {
    for (const Event& event : events) {
      if (const auto* c = std::get_if<formats::ClockSnapshot>(&event.body))
        clock.add(event.time, c->realtime, c->uncertainty);
      if (const auto* l = std::get_if<formats::Loss>(&event.body)) lost += l->count;
      stopped.push(event);
      if (!wanted(event, clock)) continue;
      any = true;
      if (a.limit && shown++ == *a.limit) {
        more = false;
        break;
      }
      if (a.json) {
        views::append_event(out.buffer(), event, clock, stopped.contains(event.thread.pid));
        more = out.end_line();
      } else {
        more = out.line(offset(event.time, summary.first) + "  " + report::pid_text(event.thread.pid) + "/" +
                        report::pid_text(event.thread.tid) + "  " + views::event_text(event));
      }
      if (!more) break;
    }
  }
  out.flush();
  if (!any) complain("events", "no event matches");
  return lost > 0 || summary.lost > 0 || summary.damaged_blocks > 0 || summary.state != formats::CaptureState::complete
             ? 3
             : 0;
}

}  // namespace

int run_events(int argc, char** argv) {
  Arguments a;
  const auto wrong = [](const std::string& why) { return wrong_usage("events", why); };
  try {
    po::options_description options;
    auto add = options.add_options();
    add("help,h", "");
    add("file", po::value(&a.files));
    add("kind", po::value(&a.kinds));
    std::uint64_t socket = 0, limit = 0;
    std::uint32_t pid = 0, tid = 0;
    add("socket", po::value(&socket));
    add("pid", po::value(&pid));
    add("tid", po::value(&tid));
    add("from", po::value(&a.from));
    add("to", po::value(&a.to));
    add("limit", po::value(&limit));
    add("json", po::bool_switch(&a.json));
    po::positional_options_description positional;
    positional.add("file", -1);
    using namespace po::command_line_style;
    po::variables_map values;
    const int style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
    if (values.count("socket") > 0) a.socket = socket;
    if (values.count("limit") > 0) a.limit = limit;
    if (a.limit == 0u) return wrong("--limit must be at least 1");
    refuse_empty_range(a.from, a.to);
    if (values.count("pid") > 0) a.pid = pid;
    if (values.count("tid") > 0) a.tid = tid;
    if (a.files.empty()) return wrong("no file given");
    if (a.files.size() > 1) return wrong("one file at a time: '" + report::printable(a.files[1]) + "' is one too many");
    return run(a);
  } catch (const po::error& e) {
    return wrong(formats::printable(e.what()));
  } catch (const UsageError& e) {
    return wrong(e.what());
  }
}

}  // namespace tailcap::cli
