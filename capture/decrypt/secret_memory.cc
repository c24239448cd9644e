#include "capture/decrypt/secret_memory.h"

#include <sys/mman.h>

#include <mutex>
#include <new>
#include <vector>

namespace tailcap::capture::decrypt::secret_memory {

namespace {

constexpr std::size_t kAtOnce = 64u << 10;

struct Places {
  std::mutex mutex;
  std::vector<unsigned char*> free;
};

Places& places() {
  static Places& all = *new Places;  // also for what is destroyed after main
  return all;
}

// Locking can fail for want of rights: then the memory is as good as any other, and Decryptor::lock_memory() says so.
void add(std::vector<unsigned char*>& free) {
  void* const memory = mmap(nullptr, kAtOnce, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  (void)mlock(memory, kAtOnce);
  (void)madvise(memory, kAtOnce, MADV_DONTDUMP);
  (void)madvise(memory, kAtOnce, MADV_WIPEONFORK);
  free.reserve(free.size() + kAtOnce / kPlace);
  for (std::size_t at = 0; at < kAtOnce; at += kPlace) free.push_back(static_cast<unsigned char*>(memory) + at);
}

}  // namespace

unsigned char* take() {
  Places& all = places();
  const std::scoped_lock lock(all.mutex);
  if (all.free.empty()) add(all.free);
  unsigned char* const place = all.free.back();
  all.free.pop_back();
  return place;
}

void give_back(unsigned char* place) {
  Places& all = places();
  const std::scoped_lock lock(all.mutex);
  all.free.push_back(place);
}

}  // namespace tailcap::capture::decrypt::secret_memory
