#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <array>
#include <bit>

#include "formats/block.h"
#include "formats/capture.capnp.h"
#include "formats/columns/event_decoder.h"
#include "formats/columns/message.h"

namespace tailcap::formats::columns {
namespace {

constexpr int kNestingLimit = 16;  // Chunk, Events, kind, list: four

template <class T>
constexpr capnp::ElementSize element_size() {
  return sizeof(T) == 1   ? capnp::ElementSize::BYTE
         : sizeof(T) == 2 ? capnp::ElementSize::TWO_BYTES
         : sizeof(T) == 4 ? capnp::ElementSize::FOUR_BYTES
                          : capnp::ElementSize::EIGHT_BYTES;
}

// Takes columns out of a message, and checks that each has the entries it must have.
struct ColumnReader {
  const char* damage = nullptr;

  template <class T, class List>
  void read_sparse(ColumnView<T>& column, List list) {
    if (list.size() == 0) return;
    const capnp::AnyList::Reader any(list);
    // Cap'n Proto accepts wider elements, and structs, where it expects numbers; a column has neither.
    if (any.getElementSize() != element_size<T>() || list.size() > kMaxBlockEvents) {
      damage = "a column has elements of a wrong size or too many";
      return;
    }
    column = ColumnView<T>(reinterpret_cast<const std::byte*>(any.getRawBytes().begin()), list.size());
  }

  template <class T, class List>
  void read(ColumnView<T>& column, List list, std::size_t n) {
    read_sparse(column, list);
    if (column.size() != n && column.size() != 0)
      damage = "a column does not have an entry for every event of its kind";
  }
};

// Calls read(chunk) on the message; Cap'n Proto's own complaints become text.
template <class Read>
std::string with_chunk(std::span<const std::byte> message, Read read) {
  capnp::ReaderOptions options;
  // Every list is visited once; a message that makes us visit more than it holds is crafted.
  options.traversalLimitInWords = message.size() / 8 + 1024;
  options.nestingLimit = kNestingLimit;
  try {
    const auto* words = reinterpret_cast<const capnp::word*>(message.data());
    capnp::FlatArrayMessageReader reader(kj::arrayPtr(words, message.size() / sizeof(capnp::word)), options);
    return read(reader.getRoot<schema::Chunk>());
  } catch (const kj::Exception& e) {
    return std::string("Cap'n Proto: ") + e.getDescription().cStr();
  }
}

const char* read_columns(schema::Events::Reader from, std::uint32_t events, BlockColumns<ColumnView>& c) {
  ColumnReader reader;
  reader.read_sparse(c.order, from.getOrder());
  if (reader.damage == nullptr && c.order.size() != events) return "the header counts other events than the block has";
  std::array<std::uint32_t, 256> counts{};
  for (std::size_t i = 0; i < c.order.size(); ++i) ++counts[c.order[i]];
  c.base = from.getBase();
  reader.read(c.time, from.getTime(), events);
  reader.read_sparse(c.time_far, from.getTimeFar());
  reader.read(c.thread, from.getThread(), events);
  reader.read(c.goroutine, from.getGoroutine(), events);
  reader.read_sparse(c.goroutines, from.getGoroutines());
  reader.read_sparse(c.pids, from.getPids());
  reader.read(c.tids, from.getTids(), c.pids.size());
  reader.read_sparse(c.sockets, from.getSockets());
  reader.read_sparse(c.piece_ends, from.getPieceEnds());
  const auto bytes = from.getBytes();
  c.bytes = ColumnView<std::uint8_t>(reinterpret_cast<const std::byte*>(bytes.begin()), bytes.size());
  // A writer of an earlier version made structs with fewer pointers: what is not there is absent.
  const auto kinds = capnp::AnyStruct::Reader(from).getPointerSection();
  c.each_kind([&](const KindEntry& entry, auto& kind) {
    if (pointer_of_kind(entry) >= kinds.size()) return;
    const auto columns = kinds[pointer_of_kind(entry)].template getAs<capnp::AnyStruct>().getPointerSection();
    kind.each_column([&]<class T>(int number, ColumnView<T>& column, bool sparse) {
      const auto at = static_cast<unsigned>(number);
      if (at >= columns.size()) return;
      const auto list = columns[at].template getAs<capnp::List<T>>();
      if (sparse)
        reader.read_sparse(column, list);
      else
        reader.read(column, list, counts[static_cast<std::uint8_t>(entry.kind)]);
    });
  });
  return reader.damage;
}

// Calls read(columns) on those of an event block.
template <class Read>
std::string with_columns(std::span<const std::byte> message, const BlockHeader& header, Read read) {
  return with_chunk(message, [&](schema::Chunk::Reader chunk) -> std::string {
    if (!chunk.isEvents() && !chunk.isKeyframe()) return "the message holds no events";
    if (chunk.isKeyframe() != header.is(BlockType::keyframe))
      return "header and message disagree about the type of the block";
    BlockColumns<ColumnView> columns;
    const char* damage =
        read_columns(chunk.isEvents() ? chunk.getEvents() : chunk.getKeyframe(), header.events, columns);
    if (damage == nullptr) damage = read(columns);
    return damage == nullptr ? std::string() : std::string(damage);
  });
}

template <class List>
std::vector<std::string> texts(List list) {
  std::vector<std::string> strings;
  for (const auto text : list) strings.emplace_back(text.cStr(), text.size());
  return strings;
}

std::string string(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

}  // namespace

std::string decode_events(std::span<const std::byte> message, const BlockHeader& header, std::vector<Event>& out) {
  out.clear();
  out.reserve(std::bit_ceil(std::min(header.events, kMaxBlockEvents)));  // its memory serves larger blocks, too
  const std::string damage = with_columns(
      message, header, [&](const BlockColumns<ColumnView>& columns) { return events_from(columns, header, out); });
  if (!damage.empty()) out.clear();
  return damage;
}

std::string choose_events(std::span<const std::byte> message, const BlockHeader& header, EventChoice& choice) {
  return with_columns(message, header,
                      [&](const BlockColumns<ColumnView>& columns) { return choose_events(columns, header, choice); });
}

std::string decode_preamble(std::span<const std::byte> message, Preamble& out) {
  out = Preamble{};
  return with_chunk(message, [&](schema::Chunk::Reader chunk) -> std::string {
    if (!chunk.isPreamble()) return "the message holds no preamble";
    const auto from = chunk.getPreamble();
    Preamble p;
    p.capture_id = string(from.getCaptureId());
    p.tool_version = string(from.getToolVersion());
    // Some recorders wrote the program's name in front of it.
    if (constexpr std::string_view kName = "tailcap "; p.tool_version.starts_with(kName))
      p.tool_version.erase(0, kName.size());
    p.command_line = texts(from.getCommandLine());
    p.host = string(from.getHost());
    p.kernel = string(from.getKernel());
    p.architecture = string(from.getArchitecture());
    p.boot_id = string(from.getBootId());
    p.cpus = from.getCpus();
    p.tier = from.getTier() <= 3 ? static_cast<HookTier>(from.getTier()) : HookTier::unknown;
    p.tier_reason = string(from.getTierReason());
    // What is not known to be masked is taken for unmasked.
    p.redaction = from.getRedaction() <= 4 ? static_cast<Redaction>(from.getRedaction()) : Redaction::none;
    p.payload_limit = from.getPayloadLimit();
    p.ring_bytes = from.getRingBytes();
    p.targets = texts(from.getTargets());
    p.programs = texts(from.getPrograms());
    for (const auto note : from.getNotes()) p.notes.emplace_back(string(note.getKey()), string(note.getValue()));
    p.started = time_from(from.getStarted());
    p.started_realtime = from.getStartedRealtime();
    if (!within_range(p.started)) return "a time is out of range";
    out = std::move(p);
    return {};
  });
}

std::string decode_footer(std::span<const std::byte> message, Footer& out) {
  out = Footer{};
  return with_chunk(message, [&](schema::Chunk::Reader chunk) -> std::string {
    if (!chunk.isFooter()) return "the message holds no footer";
    const auto from = chunk.getFooter();
    Footer f;
    f.state = from.getState() == 0 ? CaptureState::complete : CaptureState::recovered;
    f.ended = time_from(from.getEnded());
    f.events = from.getEvents();
    f.lost = from.getLost();
    f.raw_bytes = from.getRawBytes();
    for (const auto entry : from.getIndex()) {
      FooterEntry e;
      e.offset = entry.getOffset();
      e.header.first = time_from(entry.getFirst());
      e.header.last = time_from(entry.getLast());
      e.header.sequence = entry.getSequence();
      e.header.events = entry.getEvents();
      e.header.stream = entry.getStream();
      e.header.type = entry.getType();
      f.index.push_back(e);
    }
    if (!within_range(f.ended)) return "a time is out of range";
    out = std::move(f);
    return {};
  });
}

}  // namespace tailcap::formats::columns
