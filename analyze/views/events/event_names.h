// What events are called, alike for people and in JSON.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/wire/connection.h"
#include "formats/fields/names.h"
#include "formats/recorder_event.h"
#include "formats/socket_event.h"

namespace tailcap::views {

using namespace formats;

// An interface has no port.
inline std::string endpoint_of(const NetInterface& n, const Address& address) {
  model::Connection c;
  c.family = n.family;
  c.local = address;
  std::string text = model::endpoint(c, false);
  return text.substr(0, text.rfind(':'));
}

// The end of a socket that has this address.
inline std::string endpoint_of(const SocketInfo& info, const Address& address) {
  model::Connection c;
  c.family = info.family;
  c.local = info.local;
  c.remote = info.remote;
  c.path = info.path;
  return model::endpoint(c, &address == &info.remote);
}

}  // namespace tailcap::views
