#include "analyze/pack/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "formats/bounds/unfinished.h"
#include "formats/printable.h"

namespace tailcap::pack {

using formats::printable;

namespace {

// A pack stores its capture as it is. Archivers that pack it once more gain little, since it is compressed already.
constexpr std::uint64_t kMostRatio = 2, kFree = 64u << 10;
constexpr std::size_t kBlock = 1u << 16;

struct EndWriting {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EndReading {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct EndEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Writing = std::unique_ptr<archive, EndWriting>;
using Reading = std::unique_ptr<archive, EndReading>;

std::string reason(archive* a) {
  const char* const text = archive_error_string(a);
  return text ? text : "the archive cannot be processed";
}

// The file that becomes the archive when all is written; without that, nothing is left of it.
class NewArchive {
 public:
  explicit NewArchive(std::string path) : path_(std::move(path)), guard_(path_) {}
  ~NewArchive() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }
  void becomes(const std::string& name) {
    std::filesystem::rename(path_, name);
    path_.clear();
  }

 private:
  std::string path_;
  formats::Unfinished guard_;
};

void write_bytes(archive* to, const std::string& path, const char* bytes, std::size_t size) {
  if (archive_write_data(to, bytes, size) != static_cast<la_ssize_t>(size))
    throw std::runtime_error("cannot write " + printable(path) + ": " + reason(to));
}

void write_member(archive* to, const std::string& path, const Member& member) {
  const std::uint64_t size = member.path.empty() ? member.text.size() : std::filesystem::file_size(member.path);
  const std::unique_ptr<archive_entry, EndEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), member.name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  // Captures are compressed already. No entry has a time: the same content makes the same archive.
  if (member.name == kCaptureName)
    archive_write_zip_set_compression_store(to);
  else
    archive_write_zip_set_compression_deflate(to);
  if (archive_write_header(to, entry.get()) != ARCHIVE_OK)
    throw std::runtime_error("cannot write " + printable(path) + ": " + reason(to));
  if (member.path.empty()) return write_bytes(to, path, member.text.data(), member.text.size());
  std::ifstream from(member.path, std::ios::binary);
  std::array<char, kBlock> buffer;
  std::uint64_t copied = 0;
  while (from.read(buffer.data(), buffer.size()), from.gcount() > 0) {
    write_bytes(to, path, buffer.data(), static_cast<std::size_t>(from.gcount()));
    copied += static_cast<std::uint64_t>(from.gcount());
  }
  if (copied != size)
    throw std::runtime_error("cannot write " + printable(path) + ": " + printable(member.path) + " cannot be read");
}

// Goes to the capture's entry; its size as the archive states it, in bytes.
std::uint64_t find_capture(archive* from, const std::string& path) {
  archive_entry* entry = nullptr;
  int code = 0;
  while ((code = archive_read_next_header(from, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN) {
    const char* const name = archive_entry_pathname(entry);
    if (name && std::string_view(name) == kCaptureName && archive_entry_size_is_set(entry))
      return static_cast<std::uint64_t>(archive_entry_size(entry));
  }
  if (code != ARCHIVE_EOF) throw std::runtime_error("cannot read " + printable(path) + ": " + reason(from));
  throw std::runtime_error(printable(path) + " is no pack of tailcap: there is no " + kCaptureName + " in it");
}

}  // namespace

void write_archive(const std::string& path, const std::vector<Member>& members) try {
  NewArchive file(path + ".unfinished");
  const Writing to(archive_write_new());
  if (archive_write_set_format_zip(to.get()) != ARCHIVE_OK ||
      archive_write_set_options(to.get(), "zip:hdrcharset=UTF-8") != ARCHIVE_OK ||
      archive_write_open_filename(to.get(), file.path().c_str()) != ARCHIVE_OK)
    throw std::runtime_error("cannot write " + printable(path) + ": " + reason(to.get()));
  for (const Member& member : members) write_member(to.get(), path, member);
  if (archive_write_close(to.get()) != ARCHIVE_OK)
    throw std::runtime_error("cannot write " + printable(path) + ": " + reason(to.get()));
  file.becomes(path);
} catch (const std::filesystem::filesystem_error& error) {
  throw std::runtime_error("cannot write " + printable(path) + ": " + error.code().message());
}

bool is_archive(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> begin{};
  file.read(begin.data(), begin.size());
  return file && begin == std::array<char, 4>{'P', 'K', 3, 4};
}

void extract_capture(const std::string& path, const std::string& out, std::uint64_t most) {
  const Reading from(archive_read_new());
  archive_read_support_format_zip_seekable(from.get());
  if (archive_read_open_filename(from.get(), path.c_str(), kBlock) != ARCHIVE_OK)
    throw std::runtime_error("cannot read " + printable(path) + ": " + reason(from.get()));
  const std::uint64_t size = find_capture(from.get(), path);
  // Before the first byte is written. What the archive states may be wrong, so it is bounded by the archive's own size.
  if (size > kFree + kMostRatio * std::filesystem::file_size(path) || size > most)
    throw std::runtime_error(printable(path) + " holds a capture that is larger than any pack's");
  std::ofstream to(out, std::ios::binary);
  std::array<char, kBlock> buffer;
  std::uint64_t written = 0;
  for (la_ssize_t n; (n = archive_read_data(from.get(), buffer.data(), buffer.size())) != 0;) {
    if (n < 0) throw std::runtime_error(printable(path) + " is damaged: " + kCaptureName + " cannot be read");
    written += static_cast<std::uint64_t>(n);
    if (written > size)
      throw std::runtime_error(printable(path) + " is damaged: " + kCaptureName + " is larger than it states");
    to.write(buffer.data(), n);
  }
  to.close();
  if (!to) throw std::runtime_error("cannot write " + printable(out) + "; the disk may be full");
}

}  // namespace tailcap::pack
