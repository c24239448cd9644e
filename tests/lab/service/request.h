// A request of the lab: GET /FAULT/ARGUMENT[/REST], with the id that its sender gave it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::lab {

std::int64_t monotonic_ns();

struct Request {
  std::string id, path;
  std::string fault;          // first segment of the path
  std::int64_t argument = 0;  // second
  std::string rest;           // the rest, with its slash
  std::int64_t read_ns = 0;   // when its head was complete
};

// Takes a whole head from the front of `buffer`. False: it is not complete yet.
bool take_request(std::string& buffer, Request& request);
std::string response(std::string_view body, int status);

// Appends the next bytes of a blocking connection. False: the peer is done.
bool read_more(int socket, std::string& buffer);
bool write_all(int socket, std::string_view bytes);

}  // namespace tailcap::lab
