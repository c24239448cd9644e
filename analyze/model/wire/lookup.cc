#include "analyze/model/wire/lookup.h"

#include <algorithm>

#include "formats/event.h"

namespace tailcap::model {

IpAddress ip_address(const formats::Address& address, formats::Family family) {
  if (family == formats::Family::inet6) return address.bytes;
  IpAddress out{};
  out[10] = out[11] = 0xff;
  std::copy_n(address.bytes.begin(), 4, out.begin() + 12);
  return out;
}

std::string rcode_name(int rcode) {
  switch (rcode) {
    case -1:
      return "no answer";
    case 0:
      return "NOERROR";
    case 1:
      return "FORMERR";
    case 2:
      return "SERVFAIL";
    case 3:
      return "NXDOMAIN";
    case 4:
      return "NOTIMP";
    case 5:
      return "REFUSED";
    default:
      return "RCODE" + std::to_string(rcode);
  }
}

std::string record_type_name(std::uint16_t type) {
  switch (type) {
    case 1:
      return "A";
    case 5:
      return "CNAME";
    case 12:
      return "PTR";
    case 15:
      return "MX";
    case 16:
      return "TXT";
    case 28:
      return "AAAA";
    case 33:
      return "SRV";
    case 65:
      return "HTTPS";
    default:
      return "TYPE" + std::to_string(type);
  }
}

}  // namespace tailcap::model
