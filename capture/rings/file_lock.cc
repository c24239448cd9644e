#include "capture/rings/file_lock.h"

#include <cstring>

#include "bpf/event.h"

namespace tailcap::capture {

FileLock file_lock(std::span<const std::byte> record) {
  bpf::record_stall r;
  if (record.size() < sizeof r) return {};
  std::memcpy(&r, record.data(), sizeof r);
  if (r.h.kind != bpf::RECORD_STALL || r.what != STALL_FILE_LOCK || r.where > UINT32_MAX) return {};
  return {
      static_cast<std::uint32_t>(r.where), {r.h.pid, r.h.tid}, formats::time_from(static_cast<std::int64_t>(r.h.time))};
}

}  // namespace tailcap::capture
