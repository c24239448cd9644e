#include "analyze/pack/archive.h"

#include <zip.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "formats/printable.h"

namespace tailcap::pack {

using formats::printable;

namespace {

// A pack stores its capture as it is. Archivers that pack it once more gain little, since it is compressed already.
constexpr std::uint64_t kMostRatio = 2, kFree = 64u << 10;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string text_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

void write_archive(const std::string& path, const std::vector<Member>& members) {
  int code = 0;
  std::unique_ptr<zip_t, Discard> archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive) throw std::runtime_error("cannot write " + printable(path) + ": " + text_of(code));
  for (const Member& member : members) {
    zip_source_t* source = member.path.empty()
                               ? zip_source_buffer(archive.get(), member.text.data(), member.text.size(), 0)
                               : zip_source_file(archive.get(), member.path.c_str(), 0, -1);
    const zip_int64_t index = source ? zip_file_add(archive.get(), member.name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
      if (source) zip_source_free(source);
      throw std::runtime_error("cannot write " + printable(path) + ": " + zip_strerror(archive.get()));
    }
    // The same content makes the same archive; captures are compressed already.
    zip_file_set_mtime(archive.get(), static_cast<zip_uint64_t>(index), 315532800, 0);
    if (member.name == kCaptureName)
      zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  if (zip_close(archive.get()) != 0)
    throw std::runtime_error("cannot write " + printable(path) + ": " + zip_strerror(archive.get()));
  static_cast<void>(archive.release());
}

bool is_archive(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> begin{};
  file.read(begin.data(), begin.size());
  return file && begin == std::array<char, 4>{'P', 'K', 3, 4};
}

void extract_capture(const std::string& path, const std::string& out, std::uint64_t most) {
  int code = 0;
  const std::unique_ptr<zip_t, Discard> archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive) throw std::runtime_error("cannot read " + printable(path) + ": " + text_of(code));
  zip_stat_t status;
  zip_stat_init(&status);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat(archive.get(), kCaptureName, 0, &status) != 0 || (status.valid & kNeeded) != kNeeded)
    throw std::runtime_error(printable(path) + " is no pack of tailcap: there is no " + kCaptureName + " in it");
  // Before the first byte is written. What the archive states may be wrong, so it is bounded by the archive's own size.
  if (status.comp_size > std::filesystem::file_size(path) || status.size > kFree + kMostRatio * status.comp_size ||
      status.size > most)
    throw std::runtime_error(printable(path) + " holds a capture that is larger than any pack's");
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen(archive.get(), kCaptureName, 0));
  if (!file) throw std::runtime_error(printable(path) + " is damaged: " + kCaptureName + " cannot be read");
  std::ofstream to(out, std::ios::binary);
  std::array<char, 1u << 16> buffer;
  std::uint64_t written = 0;
  for (zip_int64_t n; (n = zip_fread(file.get(), buffer.data(), buffer.size())) != 0;) {
    if (n < 0) throw std::runtime_error(printable(path) + " is damaged: " + kCaptureName + " cannot be read");
    written += static_cast<std::uint64_t>(n);
    if (written > status.size)
      throw std::runtime_error(printable(path) + " is damaged: " + kCaptureName + " is larger than it states");
    to.write(buffer.data(), n);
  }
  to.close();
  if (!to) throw std::runtime_error("cannot write " + printable(out) + "; the disk may be full");
}

}  // namespace tailcap::pack
