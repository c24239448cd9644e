#include "analyze/export/gzip.h"

#include <zlib.h>

#include <array>
#include <stdexcept>

namespace tailcap::exports {

struct Gzip::Impl {
  std::function<void(std::string_view)> write;
  z_stream stream{};

  void deflate_all(std::string_view content, int flush) {
    // zlib takes no const, and does not write to it.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    std::array<char, 64u << 10> buffer;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = buffer.size();
      if (deflate(&stream, flush) == Z_STREAM_ERROR) throw std::runtime_error("zlib cannot compress");
      write(std::string_view(buffer.data(), buffer.size() - stream.avail_out));
    } while (stream.avail_out == 0);
  }
};

Gzip::Gzip(std::function<void(std::string_view)> write) : impl_(std::make_unique<Impl>()) {
  constexpr int kLevel = 6, kGzip = 15 + 16, kMemory = 8;
  impl_->write = std::move(write);
  if (deflateInit2(&impl_->stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot compress");
}

Gzip::~Gzip() { deflateEnd(&impl_->stream); }

void Gzip::write(std::string_view content) {
  constexpr std::size_t kMost = 1u << 30;  // zlib counts in 32 bits
  for (; content.size() > kMost; content.remove_prefix(kMost)) impl_->deflate_all(content.substr(0, kMost), Z_NO_FLUSH);
  impl_->deflate_all(content, Z_NO_FLUSH);
}

void Gzip::finish() { impl_->deflate_all({}, Z_FINISH); }

}  // namespace tailcap::exports
