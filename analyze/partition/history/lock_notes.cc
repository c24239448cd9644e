#include "analyze/partition/history/lock_notes.h"

#include <charconv>

namespace tailcap::partition {

void LockNotes::waited(std::uint32_t pid, std::uint64_t address) {
  if (process_at_.size() > kMaxAddresses) return;
  const auto [at, fresh] = process_at_.try_emplace(address, pid);
  if (!fresh && at->second != pid) at->second = kSeveral;
}

void LockNotes::named(std::uint32_t pid, std::string_view note) {
  constexpr int kHex = 16;
  std::uint64_t address = 0;
  const auto [end, error] = std::from_chars(note.data(), note.data() + note.size(), address, kHex);
  const std::string_view rest = note.substr(static_cast<std::size_t>(end - note.data()));
  if (error != std::errc() || rest.size() < 2 || rest[0] != ' ' || names_.size() >= kMaxNames) return;
  const auto [known, fresh] = names_.try_emplace({pid, address}, Name{std::string(rest.substr(1))});
  if (!fresh && known->second.text != rest.substr(1)) known->second.doubtful = true;
}

model::LockNames LockNotes::all() const {
  model::LockNames out;
  if (process_at_.size() > kMaxAddresses) return out;
  for (const auto& [lock, name] : names_) {
    const auto at = process_at_.find(lock.second);
    if (!name.doubtful && at != process_at_.end() && at->second == lock.first) out.emplace(lock.second, name.text);
  }
  return out;
}

}  // namespace tailcap::partition
