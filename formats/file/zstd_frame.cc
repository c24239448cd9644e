#include "formats/file/zstd_frame.h"

#include <zstd.h>

#include <new>
#include <stdexcept>

namespace tailcap::formats::file {
struct Compressor::Impl {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<std::byte> frame;
  ~Impl() { ZSTD_freeCCtx(context); }
};

Compressor::Compressor(int level) : impl_(std::make_unique<Impl>()) {
  if (impl_->context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_contentSizeFlag, 1);
}
Compressor::~Compressor() = default;

std::span<const std::byte> Compressor::compress(std::span<const std::byte> raw) {
  auto& frame = impl_->frame;
  if (frame.size() < ZSTD_compressBound(raw.size())) frame.resize(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress2(impl_->context, frame.data(), frame.size(), raw.data(), raw.size());
  if (ZSTD_isError(size))
    throw std::runtime_error(std::string("zstd cannot compress a block: ") + ZSTD_getErrorName(size));
  return {frame.data(), size};
}

struct Decompressor::Impl {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ~Impl() { ZSTD_freeDCtx(context); }
};

Decompressor::Decompressor() : impl_(std::make_unique<Impl>()) {
  if (impl_->context == nullptr) throw std::bad_alloc();
}
Decompressor::~Decompressor() = default;

std::string Decompressor::decompress(std::span<const std::byte> stored, std::uint64_t raw_size,
                                     std::vector<std::uint64_t>& raw) {
  raw.clear();
  if (raw_size % 8 != 0) return "the raw size is not a multiple of 8";
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw_size)
    return "header and zstd frame disagree about the raw size";
  if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size())
    return "the zstd frame does not fill the block";
  raw.resize(raw_size / 8);
  const std::size_t size = ZSTD_decompressDCtx(impl_->context, raw.data(), raw_size, stored.data(), stored.size());
  if (ZSTD_isError(size)) return std::string("zstd: ") + ZSTD_getErrorName(size);
  if (size != raw_size) return "the zstd frame holds less than it says";
  return {};
}

}  // namespace tailcap::formats::file
