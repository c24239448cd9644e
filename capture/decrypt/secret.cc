#include "capture/decrypt/secret.h"

#include <algorithm>
#include <cstring>

namespace tailcap::capture::decrypt {

Secret::Secret(std::string_view bytes) : size_(std::min(bytes.size(), kMost)) {
  if (size_ > 0) std::memcpy(data(), bytes.data(), size_);
}

Secret::~Secret() {
  if (!place_) return;
  wipe(place_, kMost);
  secret_memory::give_back(place_);
}

unsigned char* Secret::data() {
  if (!place_) place_ = secret_memory::take();
  return place_;
}

}  // namespace tailcap::capture::decrypt
