#include <algorithm>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "formats/bounds/read_limits.h"
#include "formats/bounds/read_progress.h"
#include "formats/crc32c.h"
#include "formats/file/block_index.h"
#include "formats/file/block_loader.h"
#include "formats/file/block_writer.h"
#include "formats/file/marker.h"
#include "formats/file/reader.h"
#include "formats/file/verify.h"
#include "formats/printable.h"
#include "ground/threads/workers.h"

namespace tailcap::formats {
namespace {

using file::IndexEntry;

void refuse_same(const std::string& in, const std::string& out, const char* what) {
  std::error_code error;
  if (std::filesystem::equivalent(in, out, error))
    throw std::runtime_error(printable(out) + " is the " + what + " itself; name another file to write");
}

// How many ordinary blocks are repacked at once, some for each thread.
constexpr std::size_t kAtOnce = 4 * ground::Workers::kMost;
constexpr std::uint64_t kBytesAtOnce = 96u << 20;

// A block with another payload; or, where this version does not know all of it, as it was.
struct Repacked {
  const IndexEntry* entry = nullptr;
  std::string damage;
  BlockHeader header;
  std::vector<std::byte> framed_header, payload;
  std::exception_ptr error;
};

struct Packer {
  Packer(const file::InputFile& file, int level) : loader(file), compressor(level) {}

  void pack(Repacked& to) {
    loader.load(*to.entry, block);
    to.damage = block.damage;
    to.header = to.entry->header;
    const auto assign = [](std::vector<std::byte>& bytes, std::span<const std::byte> from) {
      bytes.assign(from.begin(), from.end());
    };
    const bool known = to.header.type <= static_cast<std::uint8_t>(BlockType::footer) &&
                       to.header.header_size + 8u == kFramedHeader && to.header.version == kFormatVersion;
    if (!to.damage.empty() || to.header.is(BlockType::footer)) return;
    if (known) {
      const auto packed = compressor.compress(std::as_bytes(std::span(block.raw)));
      to.header.stored_size = static_cast<std::uint32_t>(packed.size());
      to.header.payload_crc = crc32c(packed);
      assign(to.framed_header, encode(to.header));
      assign(to.payload, packed);
    } else {
      assign(to.framed_header, loader.framed_header());
      assign(to.payload, loader.payload());
    }
    block.release_excess();
  }

  file::BlockLoader loader;
  file::Compressor compressor;
  file::LoadedBlock block;
};

}  // namespace

std::vector<BlockStatus> recompress(const std::string& in, const std::string& out, const RecompressOptions& options) {
  const file::InputFile input(in);
  const file::BlockIndex index = file::index_blocks(input);
  refuse_same(in, out, "capture");
  const Marker marker = marker_of(in);
  file::BlockWriter writer(out, options.force);
  if (marker.preamble && marker.footer)
    writer.set_flags(static_cast<std::uint8_t>(kBlockRedacted | (marker.strict ? kBlockStrict : 0)));
  ground::Workers workers(options.threads);
  std::vector<std::unique_ptr<Packer>> packers;
  for (std::size_t i = 0; i < workers.size(); ++i) packers.push_back(std::make_unique<Packer>(input, options.level));
  std::vector<BlockStatus> result;
  bool whole = index.state == CaptureState::complete && !index.out_of_proportion;
  Time last = kNoTime;
  for (std::size_t at = 0; at < index.entries.size();) {
    std::vector<Repacked> some;
    for (std::uint64_t bytes = 0; at < index.entries.size() && some.size() < kAtOnce && bytes < kBytesAtOnce; ++at) {
      some.emplace_back().entry = &index.entries[at];
      bytes += some.back().entry->bytes + some.back().entry->header.raw_size;
    }
    workers.run(some.size(), [&](std::size_t worker, std::size_t piece) {
      try {
        if (some[piece].entry->what == IndexEntry::What::block) packers[worker]->pack(some[piece]);
      } catch (...) {
        some[piece].error = std::current_exception();
      }
    });
    for (const Repacked& block : some) {
      if (block.error) std::rethrow_exception(block.error);
      BlockStatus& status = result.emplace_back(file::status_of(*block.entry));
      if (status.damage.empty()) status.damage = block.damage;
      whole = whole && status.damage.empty();
      if (!status.damage.empty() || block.entry->what == IndexEntry::What::gap) continue;
      last = std::max(last, status.last);
      if (!block.payload.empty()) writer.copy(block.header, block.framed_header, block.payload);
    }
  }
  if (index.out_of_proportion)
    file::note_stop(file::progress_of(input.identity()), input.name(), StopReason::many_events, Duration{}, 0);
  writer.finish(whole ? CaptureState::complete : CaptureState::recovered, last);
  return result;
}

std::vector<BlockStatus> recover(const std::string& in, const std::string& out, bool force) {
  const file::InputFile input(in);
  const file::BlockIndex index = file::index_blocks(input);
  refuse_same(in, out, "damaged capture");
  // What is recovered is as a rule OUT.partial itself.
  file::BlockWriter writer(out, force, ".recovered.partial");
  auto result = file::verify(input, index, &writer);
  Time last = kNoTime;
  for (const BlockStatus& status : result) {
    if (status.damage.empty()) last = std::max(last, status.last);
  }
  writer.finish(CaptureState::recovered, last);
  return result;
}

}  // namespace tailcap::formats
