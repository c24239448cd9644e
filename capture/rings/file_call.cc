#include "capture/rings/file_call.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "bpf/event.h"
#include "formats/event.h"
#include "formats/file_call.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// Removes the bytes of an incomplete character.
void drop_partial(std::string& text) {
  std::size_t at = text.size();
  while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at - 1]) & 0xc0) == 0x80) --at;
  if (at > 0 && (static_cast<unsigned char>(text[at - 1]) & 0xc0) == 0xc0) text.resize(at - 1);
}

// Names from the innermost on, each terminated by a zero byte.
void join(std::string_view names, bool cut, std::string& path) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('\0'));
    path.insert(0, name);
    path.insert(0, 1, '/');
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  if (cut && !path.empty()) path.insert(0, "…");
}

}  // namespace

bool convert_file_call(std::span<const std::byte> bytes, std::string& path, Event& event) {
  bpf::record_file r;
  if (bytes.size() < sizeof r) return false;
  std::memcpy(&r, bytes.data(), sizeof r);
  if (r.act > static_cast<std::uint8_t>(FileAct::sync) || r.size > sizeof r.path ||
      r.how > (bpf::PATH_NAMES | bpf::PATH_CUT))
    return false;
  const std::string_view text(reinterpret_cast<const char*>(r.path), r.size);
  const bool cut = r.how & bpf::PATH_CUT;
  path.clear();
  if (r.how & bpf::PATH_NAMES) {
    join(text, cut, path);
  } else {
    path = text;
    if (cut) {
      drop_partial(path);
      path += "…";
    }
  }
  event.time = time_from(static_cast<std::int64_t>(r.until));
  event.goroutine = r.goroutine;
  event.body = FileCall{static_cast<FileAct>(r.act), time_from(static_cast<std::int64_t>(r.began)), r.result,
                        r.descriptor, path};
  return true;
}

}  // namespace tailcap::capture
