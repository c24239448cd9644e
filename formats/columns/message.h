// Chunk messages (formats/capture.capnp) as bytes in Cap'n Proto's standard framing, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/block.h"
#include "formats/columns/collector.h"
#include "formats/event.h"
#include "formats/event_choice.h"
#include "formats/preamble.h"

namespace tailcap::formats::columns {

struct FooterEntry {
  std::uint64_t offset = 0;
  BlockHeader header;
};

// Summary at the end of a capture. All of it follows from the blocks before it.
struct Footer {
  CaptureState state = CaptureState::complete;
  Time ended = kNoTime;
  std::uint64_t events = 0, lost = 0, raw_bytes = 0;
  std::vector<FooterEntry> index;
};

// The memory that a message is built in, kept for the next one.
class MessageBuffer {
 public:
  MessageBuffer();
  ~MessageBuffer();
  MessageBuffer(const MessageBuffer&) = delete;
  MessageBuffer& operator=(const MessageBuffer&) = delete;

  struct Impl;
  std::unique_ptr<Impl> impl;
};

// Where the struct of a kind is among the pointers of Events, whose member 4 is a number.
constexpr unsigned pointer_of_kind(const KindEntry& entry) { return static_cast<unsigned>(entry.number) - 1; }

// The message is in `buffer` until the next call with the same one.
std::span<const std::byte> encode(const CollectedBlock& block, BlockType type, MessageBuffer& buffer);
std::span<const std::byte> encode(const Preamble& preamble, MessageBuffer& buffer);
std::span<const std::byte> encode(const Footer& footer, MessageBuffer& buffer);

// The functions below take a message from any source, with its first byte aligned to 8, and return why it is damaged,
// or an empty string. Unknown kinds of events are left out.

// Views in the events point into `message`.
std::string decode_events(std::span<const std::byte> message, const BlockHeader& header, std::vector<Event>& out);
// Only the events that the choice wants: see choose_events().
std::string choose_events(std::span<const std::byte> message, const BlockHeader& header, EventChoice& choice);
std::string decode_preamble(std::span<const std::byte> message, Preamble& out);
std::string decode_footer(std::span<const std::byte> message, Footer& out);

}  // namespace tailcap::formats::columns
