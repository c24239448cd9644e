#include "analyze/export/perfetto.h"

#include <protozero/pbf_writer.hpp>

#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using protozero::pbf_writer;

// Field numbers of the published schema (protos/perfetto/trace/). tests/cli/perfetto.proto has them again, from there.
namespace trace {
constexpr int kPacket = 1;
}
namespace packet_field {
constexpr int kClockSnapshot = 6, kTimestamp = 8, kSequence = 10, kTrackEvent = 11, kSequenceFlags = 13, kClock = 58,
              kTrackDescriptor = 60;
}
namespace snapshot {
constexpr int kClocks = 1, kPrimary = 2, kId = 1, kTimestamp = 2;
}
namespace descriptor {
constexpr int kUuid = 1, kName = 2, kProcess = 3, kThread = 4, kAbove = 5, kCounter = 8;
constexpr int kPid = 1, kCommandLine = 2, kProcessName = 6, kProcessLabels = 8, kTid = 2, kThreadName = 5;
constexpr int kUnit = 3, kUnitCount = 2;
}  // namespace descriptor
namespace track_event {
constexpr int kNotes = 4, kType = 9, kTrack = 11, kCategories = 22, kName = 23, kCounter = 30, kFlows = 47,
              kFlowsEnding = 48;
constexpr int kNoteBool = 2, kNoteInt = 4, kNoteText = 6, kNoteName = 10;
}  // namespace track_event

constexpr std::uint32_t kRealtime = 1, kMonotonic = 3, kBoottime = 6;  // BuiltinClock
constexpr std::uint32_t kSequenceId = 1, kStateCleared = 1;

std::string text(std::string_view value) { return formats::printable(value); }

}  // namespace

struct PerfettoTrace::Event {
  Kind kind;
  Track track;
  std::int64_t at;
  std::string_view name = {}, category = {};
  std::span<const Note> notes = {};
  std::span<const std::uint64_t> flows_from = {}, flows_to = {};
  std::int64_t value = 0;
};

void PerfettoTrace::packet(const std::string& content) {
  std::string out;
  pbf_writer(out).add_message(trace::kPacket, content);
  write_(out);
}

void PerfettoTrace::clocks(formats::Time at, std::int64_t realtime, std::int64_t boottime) {
  std::string content;
  pbf_writer packet_writer(content);
  packet_writer.add_uint32(packet_field::kSequence, kSequenceId);
  if (first_) packet_writer.add_uint32(packet_field::kSequenceFlags, kStateCleared);
  first_ = false;
  {
    pbf_writer shot(packet_writer, packet_field::kClockSnapshot);
    for (const auto& [id, value] :
         {std::pair{kMonotonic, formats::nanoseconds(at)}, {kRealtime, realtime}, {kBoottime, boottime}}) {
      if (value <= 0) continue;
      pbf_writer clock(shot, snapshot::kClocks);
      clock.add_uint32(snapshot::kId, id);
      clock.add_uint64(snapshot::kTimestamp, static_cast<std::uint64_t>(value));
    }
    shot.add_uint32(snapshot::kPrimary, kMonotonic);
  }
  packet(content);
}

namespace {

template <class Fill>
std::string described(std::uint64_t uuid, std::string_view name, std::uint64_t above, Fill fill) {
  std::string content;
  pbf_writer packet_writer(content);
  packet_writer.add_uint32(packet_field::kSequence, kSequenceId);
  pbf_writer out(packet_writer, packet_field::kTrackDescriptor);
  out.add_uint64(descriptor::kUuid, uuid);
  if (!name.empty()) out.add_string(descriptor::kName, text(name));
  if (above != 0) out.add_uint64(descriptor::kAbove, above);
  fill(out);
  out.commit();
  return content;
}

}  // namespace

PerfettoTrace::Track PerfettoTrace::process(std::uint32_t pid, std::string_view name, std::string_view command_line,
                                            std::span<const std::string> labels) {
  packet(described(++last_, {}, 0, [&](pbf_writer& out) {
    pbf_writer process(out, descriptor::kProcess);
    process.add_int32(descriptor::kPid, static_cast<std::int32_t>(pid));
    if (!command_line.empty()) process.add_string(descriptor::kCommandLine, text(command_line));
    if (!name.empty()) process.add_string(descriptor::kProcessName, text(name));
    for (const std::string& label : labels) process.add_string(descriptor::kProcessLabels, text(label));
  }));
  return last_;
}

PerfettoTrace::Track PerfettoTrace::thread(std::uint32_t pid, std::uint32_t tid, std::string_view name, Track process) {
  packet(described(++last_, {}, process, [&](pbf_writer& out) {
    pbf_writer thread(out, descriptor::kThread);
    thread.add_int32(descriptor::kPid, static_cast<std::int32_t>(pid));
    thread.add_int32(descriptor::kTid, static_cast<std::int32_t>(tid));
    if (!name.empty()) thread.add_string(descriptor::kThreadName, text(name));
  }));
  return last_;
}

PerfettoTrace::Track PerfettoTrace::track(std::string_view name, Track above) {
  packet(described(++last_, name, above, [](pbf_writer&) {}));
  return last_;
}

PerfettoTrace::Track PerfettoTrace::counter(std::string_view name, Track above) {
  packet(described(++last_, name, above, [](pbf_writer& out) {
    pbf_writer count(out, descriptor::kCounter);
    count.add_enum(descriptor::kUnit, descriptor::kUnitCount);
  }));
  return last_;
}

void PerfettoTrace::event(const Event& e) {
  std::string content;
  pbf_writer packet_writer(content);
  packet_writer.add_uint64(packet_field::kTimestamp, static_cast<std::uint64_t>(e.at));
  packet_writer.add_uint32(packet_field::kClock, kMonotonic);
  packet_writer.add_uint32(packet_field::kSequence, kSequenceId);
  {
    pbf_writer out(packet_writer, packet_field::kTrackEvent);
    out.add_enum(track_event::kType, static_cast<int>(e.kind));
    out.add_uint64(track_event::kTrack, e.track);
    if (!e.category.empty()) out.add_string(track_event::kCategories, e.category.data(), e.category.size());
    if (!e.name.empty()) out.add_string(track_event::kName, text(e.name));
    for (const auto& [name, value] : e.notes) {
      pbf_writer note(out, track_event::kNotes);
      note.add_string(track_event::kNoteName, name.data(), name.size());
      if (const auto* number = std::get_if<std::int64_t>(&value))
        note.add_int64(track_event::kNoteInt, *number);
      else if (const auto* truth = std::get_if<bool>(&value))
        note.add_bool(track_event::kNoteBool, *truth);
      else
        note.add_string(track_event::kNoteText, text(std::get<std::string>(value)));
    }
    for (const std::uint64_t flow : e.flows_from) out.add_fixed64(track_event::kFlows, flow);
    for (const std::uint64_t flow : e.flows_to) out.add_fixed64(track_event::kFlowsEnding, flow);
    if (e.kind == Kind::counter) out.add_int64(track_event::kCounter, e.value);
  }
  packet(content);
}

void PerfettoTrace::begin(Track track, std::int64_t at, std::string_view name, std::string_view category,
                          std::span<const Note> notes, std::span<const std::uint64_t> flows_from,
                          std::span<const std::uint64_t> flows_to) {
  event({Kind::begin, track, at, name, category, notes, flows_from, flows_to});
}
void PerfettoTrace::end(Track track, std::int64_t at) { event({Kind::end, track, at}); }
void PerfettoTrace::instant(Track track, std::int64_t at, std::string_view name, std::string_view category,
                            std::span<const Note> notes) {
  event({Kind::instant, track, at, name, category, notes});
}
void PerfettoTrace::count(Track track, std::int64_t at, std::int64_t value) {
  Event e{Kind::counter, track, at};
  e.value = value;
  event(e);
}

}  // namespace tailcap::exports
