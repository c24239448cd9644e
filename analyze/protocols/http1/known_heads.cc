#include "analyze/protocols/http1/known_heads.h"

#include <cstdint>

namespace tailcap::protocols {

std::size_t KnownHeads::place_of(const char* address) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(address) * kSpread) >> (64 - kPlacesAsBits));
}

std::size_t KnownHeads::take(std::string_view bytes, bool request, model::Message& m, Framing& f) const {
  const Place& known = places_[place_of(bytes.data())];
  if (known.text.empty() || known.request != request || m.headers.size() != 0 || !bytes.starts_with(known.text))
    return 0;
  m.protocol = known.protocol;
  if (request) {
    m.method = known.method;
    m.target = known.target;
  } else {
    m.status = known.status;
  }
  m.headers = known.fields;
  m.headers_complete = true;
  f = known.framing;
  if (f.malformed) m.taints = m.taints | model::Taint::malformed;
  return known.text.size();
}

void KnownHeads::note(std::string_view text, bool request, const model::Message& m, const Framing& f) {
  if (text.size() > kMaxText) return;
  Place& place = places_[place_of(text.data())];
  if (place.address != text.data()) {
    place.address = text.data();
    return;
  }
  place.text = text;
  place.request = request;
  place.protocol = m.protocol;
  place.status = m.status;
  place.method = m.method;
  place.target = m.target;
  place.fields = m.headers;
  place.framing = f;
}

}  // namespace tailcap::protocols
