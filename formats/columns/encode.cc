#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>

#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "formats/capture.capnp.h"
#include "formats/columns/message.h"

namespace tailcap::formats::columns {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are copied: lists in messages are little-endian");

template <class T>
bool all_zero(const Column<T>& column) {
  const auto* bytes = reinterpret_cast<const char*>(column.data());
  const auto size = column.size() * sizeof(T);
  return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

// A primitive list is its elements one behind the other, so a column is one copy.
template <class T, class Init>
void write_list(const Column<T>& column, Init init) {
  const auto list = init(static_cast<unsigned>(column.size()));
  const auto raw = capnp::AnyList::Reader(list.asReader()).getRawBytes();
  std::memcpy(const_cast<kj::byte*>(raw.begin()), column.data(), column.size() * sizeof(T));
}

// An absent column reads as zeros.
template <class T, class Init>
void write(const Column<T>& column, Init init) {
  if (!all_zero(column)) write_list(column, init);
}

void fill(schema::Events::Builder to, const CollectedBlock& block) {
  auto& c = const_cast<BlockColumns<Column>&>(block.columns);  // each_kind may write; what it calls here does not
  std::array<std::uint32_t, 256> counts{};
  for (const auto kind : c.order) ++counts[kind];
  to.setBase(c.base);
  write_list(c.order, [&](unsigned n) { return to.initOrder(n); });
  write(c.time, [&](unsigned n) { return to.initTime(n); });
  write(c.time_far, [&](unsigned n) { return to.initTimeFar(n); });
  write(c.thread, [&](unsigned n) { return to.initThread(n); });
  write(c.goroutine, [&](unsigned n) { return to.initGoroutine(n); });
  // Tables are there in full: their length counts.
  write_list(c.pids, [&](unsigned n) { return to.initPids(n); });
  write_list(c.tids, [&](unsigned n) { return to.initTids(n); });
  if (!c.sockets.empty()) write_list(c.sockets, [&](unsigned n) { return to.initSockets(n); });
  if (!c.goroutines.empty()) write_list(c.goroutines, [&](unsigned n) { return to.initGoroutines(n); });
  if (!c.piece_ends.empty()) write_list(c.piece_ends, [&](unsigned n) { return to.initPieceEnds(n); });
  if (!c.bytes.empty()) to.setBytes(kj::arrayPtr(c.bytes.data(), c.bytes.size()));
  // Every column is a pointer of its kind's struct, at the place that its number says; base is the only other member.
  auto kinds = capnp::AnyStruct::Builder(schema::Events::Builder(to)).getPointerSection();
  c.each_kind([&](const KindEntry& entry, auto& kind) {
    if (counts[static_cast<std::uint8_t>(entry.kind)] == 0) return;
    auto columns = kinds[pointer_of_kind(entry)].initAsAnyStruct(0, kind.kColumns).getPointerSection();
    kind.each_column([&]<class T>(int number, const Column<T>& column, bool) {
      write(column,
            [&](unsigned n) { return columns[static_cast<unsigned>(number)].template initAs<capnp::List<T>>(n); });
    });
  });
}

template <class List, class Strings>
void fill_texts(List list, const Strings& strings) {
  for (unsigned i = 0; i < strings.size(); ++i) list.set(i, strings[i]);
}

}  // namespace

// Builds messages in one segment with the framing in front of it, so that nothing is copied; only a message that
// outgrows what was expected comes in several and is put together.
struct MessageBuffer::Impl {
  std::vector<std::uint64_t> words;  // zero but for the message: the builder wants it so and leaves it so
  std::optional<capnp::MallocMessageBuilder> builder;
  kj::Array<capnp::word> flat;

  schema::Chunk::Builder begin(std::size_t expected_bytes) {
    builder.reset();
    const std::size_t needed = expected_bytes / 8 + 2;
    if (words.size() < needed) words.assign(needed, 0);
    words[0] = 0;
    builder.emplace(kj::arrayPtr(reinterpret_cast<capnp::word*>(words.data() + 1), words.size() - 1));
    return builder->initRoot<schema::Chunk>();
  }

  std::span<const std::byte> finish() {
    const auto segments = builder->getSegmentsForOutput();
    if (segments.size() == 1) {
      // Framing (capnproto.org/encoding.html): number of segments less one, then the size of each in words, 32 bits
      // each.
      words[0] = std::uint64_t{segments[0].size()} << 32;
      return {reinterpret_cast<const std::byte*>(words.data()), 8 * (1 + segments[0].size())};
    }
    flat = capnp::messageToFlatArray(segments);
    const auto bytes = flat.asBytes();
    return {reinterpret_cast<const std::byte*>(bytes.begin()), bytes.size()};
  }
};

MessageBuffer::MessageBuffer() : impl(std::make_unique<Impl>()) {}
MessageBuffer::~MessageBuffer() = default;

std::span<const std::byte> encode(const CollectedBlock& block, BlockType type, MessageBuffer& buffer) {
  // Lists are padded to words; there are fewer than 200.
  auto chunk = buffer.impl->begin(block.raw_bytes + 8 * 200 + 4096);
  fill(type == BlockType::keyframe ? chunk.initKeyframe() : chunk.initEvents(), block);
  return buffer.impl->finish();
}

std::span<const std::byte> encode(const Preamble& preamble, MessageBuffer& buffer) {
  auto to = buffer.impl->begin(8192).initPreamble();
  to.setFormatVersion(kFormatVersion);
  to.setCaptureId(preamble.capture_id);
  to.setToolVersion(preamble.tool_version);
  fill_texts(to.initCommandLine(static_cast<unsigned>(preamble.command_line.size())), preamble.command_line);
  to.setHost(preamble.host);
  to.setKernel(preamble.kernel);
  to.setArchitecture(preamble.architecture);
  to.setBootId(preamble.boot_id);
  to.setCpus(preamble.cpus);
  to.setTier(static_cast<std::uint8_t>(preamble.tier));
  to.setTierReason(preamble.tier_reason);
  to.setRedaction(static_cast<std::uint8_t>(preamble.redaction));
  to.setPayloadLimit(preamble.payload_limit);
  to.setRingBytes(preamble.ring_bytes);
  fill_texts(to.initTargets(static_cast<unsigned>(preamble.targets.size())), preamble.targets);
  fill_texts(to.initPrograms(static_cast<unsigned>(preamble.programs.size())), preamble.programs);
  auto notes = to.initNotes(static_cast<unsigned>(preamble.notes.size()));
  for (unsigned i = 0; i < preamble.notes.size(); ++i) {
    notes[i].setKey(preamble.notes[i].first);
    notes[i].setValue(preamble.notes[i].second);
  }
  to.setStarted(nanoseconds(preamble.started));
  to.setStartedRealtime(preamble.started_realtime);
  return buffer.impl->finish();
}

std::span<const std::byte> encode(const Footer& footer, MessageBuffer& buffer) {
  auto to = buffer.impl->begin(footer.index.size() * 48 + 4096).initFooter();
  to.setState(static_cast<std::uint8_t>(footer.state));
  to.setEnded(nanoseconds(footer.ended));
  to.setEvents(footer.events);
  to.setLost(footer.lost);
  to.setRawBytes(footer.raw_bytes);
  auto index = to.initIndex(static_cast<unsigned>(footer.index.size()));
  for (unsigned i = 0; i < footer.index.size(); ++i) {
    const auto& [offset, header] = footer.index[i];
    auto entry = index[i];
    entry.setOffset(offset);
    entry.setFirst(nanoseconds(header.first));
    entry.setLast(nanoseconds(header.last));
    entry.setSequence(header.sequence);
    entry.setEvents(header.events);
    entry.setStream(header.stream);
    entry.setType(header.type);
  }
  return buffer.impl->finish();
}

}  // namespace tailcap::formats::columns
