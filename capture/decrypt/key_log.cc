#include "capture/decrypt/key_log.h"

#include <algorithm>
#include <cstring>

#include "bpf/event.h"

namespace tailcap::capture::decrypt {

namespace {

constexpr std::string_view kExpansion = "key expansion", kServerHandshake = "s hs traffic";
constexpr std::string_view kGoServerHandshake = "s hs secret";

bool of_application(std::string_view label) { return label.size() > 1 && label.substr(1) == " ap traffic"; }

// Not the secret itself: these strings are not wiped.
std::string id_of(std::string_view label, std::string_view bytes) {
  return std::string(label) + '\0' + hash(false, bytes);
}

std::string_view field(const __u8* bytes, std::size_t size, std::size_t most) {
  return {reinterpret_cast<const char*>(bytes), std::min(size, most)};
}

}  // namespace

std::vector<std::string> KeyLog::ids_of(const Hellos& hellos) {
  if (!hellos.version13()) return {decrypt::id_of(kExpansion, hellos.randoms())};
  return {decrypt::id_of(kServerHandshake, hellos.hash()), decrypt::id_of(kGoServerHandshake, hellos.client_random())};
}

bool KeyLog::Entry::first() const {
  return label == kExpansion || label == kServerHandshake || label == kGoServerHandshake;
}

const KeyLog::Entry* KeyLog::add(std::span<const std::byte> record) {
  bpf::record_tls_secret r;
  if (record.size() < sizeof r) return nullptr;
  std::memcpy(&r, record.data(), sizeof r);
  Entry entry{{},
              std::string(field(r.label, r.label_length, sizeof r.label)),
              Secret(field(r.secret, r.secret_length, sizeof r.secret)),
              std::string(field(r.data, r.data_length, sizeof r.data)),
              r.library == bpf::TLS_GO,
              r.h.pid,
              r.session,
              false};
  const std::uint32_t pid = r.h.pid;
  wipe(&r, sizeof r);
  entry.id =
      decrypt::id_of(entry.label, of_application(entry.label) ? entry.secret.view() : std::string_view(entry.data));
  if (!processes_.contains(pid) && processes_.size() >= kMaxProcesses) return nullptr;
  Process& process = processes_[pid];
  // Both ends of a connection may be in one process.
  if (const auto same = process.by_id.find(entry.id); same != process.by_id.end()) {
    if (entry.session == 0) entry.session = same->second->session;
    entry.met = same->second->met;
    *same->second = std::move(entry);
    return same->second;
  }
  if (process.entries.size() >= kMaxEntries) {
    const auto oldest = process.by_id.find(process.entries.front().id);
    if (oldest != process.by_id.end() && oldest->second == &process.entries.front()) process.by_id.erase(oldest);
    process.entries.pop_front();
  }
  process.entries.push_back(std::move(entry));
  process.by_id[process.entries.back().id] = &process.entries.back();
  return &process.entries.back();
}

void KeyLog::spend(std::uint32_t pid, const std::string& id) {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return;
  const auto found = process->second.by_id.find(id);
  if (found == process->second.by_id.end()) return;
  found->second->secret = {};
  process->second.by_id.erase(found);
}

const KeyLog::Entry* KeyLog::find(std::uint32_t pid, const std::string& id) const {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return nullptr;
  const auto found = process->second.by_id.find(id);
  return found == process->second.by_id.end() ? nullptr : found->second;
}

const KeyLog::Entry* KeyLog::handshake(std::uint32_t pid, std::string_view label, std::string_view bytes) const {
  return find(pid, decrypt::id_of(label, bytes));
}

const KeyLog::Entry* KeyLog::application(std::uint32_t pid, std::string_view label, const Secret& master) const {
  return find(pid, decrypt::id_of(label, master.view()));
}

const KeyLog::Entry* KeyLog::traffic(std::uint32_t pid, std::string_view label, std::string_view random) const {
  return find(pid, decrypt::id_of(label, random));
}

const KeyLog::Entry* KeyLog::expansion(std::uint32_t pid, std::string_view randoms) const {
  return find(pid, decrypt::id_of(kExpansion, randoms));
}

}  // namespace tailcap::capture::decrypt
