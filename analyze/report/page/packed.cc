#include "analyze/report/page/packed.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <utility>

#include "ground/threads/background.h"

namespace tailcap::report::page {
namespace {

constexpr const char* kNoMemory = "zlib cannot compress the data of the page: no memory";
constexpr int kEffort = 2;  // of 9: zlib's default takes five times as long for data that are 6 % smaller
constexpr std::size_t kPiece = 48u << 10;  // whole digits of base64
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void add_digits(std::span<const std::uint8_t> bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < n ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
}

}  // namespace

struct Packer::Impl {
  Impl() {
    if (deflateInit(&stream, kEffort) != Z_OK) throw std::runtime_error(kNoMemory);
  }
  ~Impl() {
    try {
      background.wait();
    } catch (const std::exception&) {  // the bytes are not wanted
    }
    deflateEnd(&stream);
  }

  void deflate_all(int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(under_way.data());
    stream.avail_in = static_cast<uInt>(under_way.size());
    do {
      stream.next_out = small.data() + filled;
      stream.avail_out = static_cast<uInt>(small.size() - filled);
      const int code = deflate(&stream, flush);
      filled = small.size() - stream.avail_out;
      if (code == Z_STREAM_END) return;
      if (code != Z_OK && code != Z_BUF_ERROR) throw std::runtime_error(kNoMemory);
      if (filled < small.size()) continue;
      add_digits(small, out);
      filled = 0;
    } while (stream.avail_in > 0 || flush == Z_FINISH);
  }

  z_stream stream{};
  std::string under_way, out;
  std::array<std::uint8_t, kPiece> small;
  std::size_t filled = 0;
  ground::Background background;  // the last: it uses the others
};

Packer::Packer() : impl_(std::make_unique<Impl>()) {}
Packer::~Packer() = default;

void Packer::add(std::string& bytes) {
  impl_->background.wait();
  impl_->under_way.swap(bytes);
  bytes.clear();
  impl_->background.run([impl = impl_.get()] { impl->deflate_all(Z_NO_FLUSH); });
}

std::string Packer::take() {
  impl_->background.wait();
  impl_->under_way.clear();
  impl_->deflate_all(Z_FINISH);
  add_digits({impl_->small.data(), impl_->filled}, impl_->out);
  return std::move(impl_->out);
}

std::string packed(std::string bytes) {
  Packer packer;
  packer.add(bytes);
  return packer.take();
}

}  // namespace tailcap::report::page
