#include "formats/summary/summary_file.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "formats/crc32c.h"
#include "formats/file/block_index.h"
#include "formats/file/zstd_frame.h"
#include "formats/printable.h"
#include "formats/summary/summary_message.h"

namespace tailcap::formats {
namespace {

constexpr std::array<unsigned char, 8> kSummarySync = {0x89, 'T', 'C', 'S', 'U', 'M', '\r', '\n'};
constexpr std::uint16_t kSummaryVersion = 1;
constexpr std::size_t kHead = 32;
constexpr int kSummaryLevel = 9;  // of zstd: read often, written once

template <class T>
void put_number(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
  T out = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) out |= static_cast<T>(static_cast<T>(bytes[at + i]) << (8 * i));
  return out;
}

}  // namespace

bool is_summary(std::span<const std::byte> bytes) {
  return bytes.size() >= kSummarySync.size() &&
         std::memcmp(bytes.data(), kSummarySync.data(), kSummarySync.size()) == 0;
}

std::string encode_summary(const Summary& summary) {
  const std::vector<std::uint64_t> raw = summary_message(summary);
  const std::uint64_t size = raw.size() * sizeof(std::uint64_t);
  if (size > kMostSummaryRaw)
    throw std::runtime_error("the summary would have more than 256 MiB: make one for each month, or fewer routes");
  file::Compressor compressor(kSummaryLevel);
  const auto frame = compressor.compress(std::as_bytes(std::span(raw)));
  std::string out(reinterpret_cast<const char*>(kSummarySync.data()), kSummarySync.size());
  put_number<std::uint16_t>(out, kHead);
  put_number<std::uint16_t>(out, kSummaryVersion);
  put_number<std::uint32_t>(out, crc32c(frame));
  put_number<std::uint64_t>(out, size);
  put_number<std::uint64_t>(out, frame.size());
  out.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  return out;
}

std::string decode_summary(std::span<const std::byte> bytes, Summary& out) {
  out = {};
  if (!is_summary(bytes)) return "it does not begin like a summary";
  if (bytes.size() < kHead) return "it ends within its header";
  const auto head = number_at<std::uint16_t>(bytes, 8), version = number_at<std::uint16_t>(bytes, 10);
  if (version > kSummaryVersion) return "a later version of tailcap wrote it";
  if (head < kHead || head > bytes.size()) return "its header has a size that cannot be";
  const auto raw_size = number_at<std::uint64_t>(bytes, 16), stored = number_at<std::uint64_t>(bytes, 24);
  if (raw_size > kMostSummaryRaw || stored != bytes.size() - head) return "its header has a size that cannot be";
  const auto frame = bytes.subspan(head);
  if (crc32c(frame) != number_at<std::uint32_t>(bytes, 12)) return "its checksum is wrong";
  std::vector<std::uint64_t> raw;
  file::Decompressor decompressor;
  if (std::string damage = decompressor.decompress(frame, raw_size, raw); !damage.empty()) return damage;
  std::string damage = read_summary_message(raw, out);
  if (!damage.empty()) out = {};
  return damage;
}

bool is_summary_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;  // a pipe must not hold us up
  std::array<char, kSummarySync.size()> begin{};
  std::ifstream in(path, std::ios::binary);
  return in.read(begin.data(), begin.size()) && is_summary(std::as_bytes(std::span(begin)));
}

Summary read_summary(const std::string& path) {
  const file::InputFile in(path);
  if (in.size() > kMostSummaryFile) throw std::runtime_error(printable(path) + " is larger than a summary can be");
  std::vector<std::byte> bytes(in.size());
  bytes.resize(in.read(0, bytes));
  Summary out;
  if (const std::string damage = decode_summary(bytes, out); !damage.empty())
    throw std::runtime_error(printable(path) + " is no summary that can be read: " + damage);
  return out;
}

}  // namespace tailcap::formats
