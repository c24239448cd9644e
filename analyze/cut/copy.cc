#include "analyze/cut/copy.h"

#include <algorithm>
#include <type_traits>
#include <unordered_set>

#include "formats/bounds/read_limits.h"
#include "formats/file/copied_event.h"
#include "formats/file/marker.h"
#include "formats/file/reader.h"
#include "formats/file/writer.h"

namespace tailcap::cut {

using namespace formats;

namespace {

template <class B>
concept OfSocket =
    std::is_same_v<B, Io> || std::is_same_v<B, Arrival> || std::is_same_v<B, Retransmit> || std::is_same_v<B, Reset> ||
    std::is_same_v<B, StateChange> || std::is_same_v<B, Accept> || std::is_same_v<B, SocketInfo>;
template <class B>
concept OfSession = std::is_same_v<B, TlsIo> || std::is_same_v<B, TlsStep>;
// What happens at all times and in great numbers. Everything else describes the machine, or is rare.
template <class B>
concept OfAMoment =
    std::is_same_v<B, OffCpu> || std::is_same_v<B, Stall> || std::is_same_v<B, Sample> || std::is_same_v<B, FileCall> ||
    std::is_same_v<B, GoRuntime> || std::is_same_v<B, GoState> || std::is_same_v<B, GoCall> ||
    std::is_same_v<B, GoChannel> || std::is_same_v<B, GoAllocations> || std::is_same_v<B, MallocCalls>;

class Choice {
 public:
  explicit Choice(const KeptPart& part) : part_(part), end_(part.windows.empty() ? kNoTime : part.windows.back().to) {}

  // May strip the event of its payload.
  bool keeps(Event& event) {
    return std::visit([&](auto& body) { return one(event.time, body); }, event.body);
  }

 private:
  template <class B>
  bool one(Time time, B& body) {
    if constexpr (OfSocket<B>)
      return connection(time, body.socket, part_.all_connections, body);
    else if constexpr (OfSession<B>)
      return connection(time, body.session, part_.all_connections || part_.all_sessions, body);
    else if constexpr (std::is_same_v<B, OffCpu>)
      return moment(body.left, time);
    else if constexpr (std::is_same_v<B, Stall> || std::is_same_v<B, FileCall>)
      return moment(body.began, time);
    else if constexpr (OfAMoment<B>)
      return moment(time, time);
    else
      return true;
  }

  template <class B>
  bool connection(Time time, std::uint64_t id, bool all, B& body) {
    if (all && time <= end_) return true;
    const auto found = part_.connections.find(id);
    if (found != part_.connections.end() && time <= found->second) return true;
    if (!seen_.insert(id).second) return false;
    if constexpr (std::is_same_v<B, Io> || std::is_same_v<B, TlsIo>) {
      body.head = body.tail = {};
      body.payload = Payload::off;
    }
    return true;
  }

  bool moment(Time from, Time to) {
    if (part_.all_others) return !known(from) || from <= end_;
    if (!known(from)) from = to;
    const auto next = std::lower_bound(part_.windows.begin(), part_.windows.end(), from,
                                       [](const KeptWindow& w, Time t) { return w.to < t; });
    return next != part_.windows.end() && next->from <= to;
  }

  const KeptPart& part_;
  Time end_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

Written copy(const std::string& in, const std::string& out, const KeptPart& part, const Notes& notes, bool force) {
  Reader reader(in);
  const Marker marker = marker_of(in);
  Preamble preamble = reader.preamble();
  preamble.notes.insert(preamble.notes.end(), notes.begin(), notes.end());
  // A part of a redacted capture is redacted.
  const auto flags = static_cast<std::uint8_t>(
      marker.preamble && marker.footer ? kBlockRedacted | (marker.strict ? kBlockStrict : 0) : 0);
  Writer writer(out, preamble, force, WriterOptions{.queue_bytes = 64u << 20, .wait = true, .flags = flags});
  Choice choice(part);
  Time last = kNoTime;
  bool first = true;
  CaptureState state = CaptureState::complete;
  for (auto events = reader.next(); !events.empty(); events = reader.next()) {
    for (Event event : events) {
      if (!formats::into_copy(event, stopped_captures().empty(), &state)) continue;
      // Times are shown since the first event.
      if (!choice.keeps(event) && !first) continue;
      first = false;
      last = std::max(last, event.time);
      writer.push(event);
    }
  }
  writer.finish(last, state);
  return {writer.totals().events, writer.totals().file_bytes};
}

}  // namespace tailcap::cut
