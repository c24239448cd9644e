#include "ground/http/request_ids.h"

namespace tailcap::ground {

std::uint64_t mixed(std::uint64_t h, std::uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
  return h ^ (h >> 29);
}

std::uint64_t salt_of(std::string_view text) {
  std::uint64_t h = text.size();
  for (const char c : text) h = mixed(h, static_cast<unsigned char>(c));
  return h;
}

std::uint64_t machine_salt_of(std::string_view boot_id) {
  const bool random = boot_id.size() == 36 && boot_id[14] == '4' &&
                      std::string_view("89ab").find(boot_id[19]) != std::string_view::npos;
  return random ? salt_of(boot_id) : 0;
}

std::uint64_t wire_seed(std::uint64_t machine_salt, std::uint64_t cookie, std::uint32_t number) {
  return mixed(mixed(mixed(0x77697265, machine_salt), cookie), number);
}

}  // namespace tailcap::ground
