// Requests after one another on one connection, recorded at both ends.
#pragma once

#include <chrono>
#include <random>
#include <string>

#include "tests/synth/scenario.h"

namespace tailcap::synth {

// A request takes 50 µs to 20 ms, what is between two of them 100 µs to 5 ms. path(i): of request i.
template <class Path>
void converse(Endpoint& client, Endpoint& server, int requests, std::mt19937& random, Path path) {
  using namespace std::chrono_literals;
  const auto between = [&](int low, int high) {
    return std::chrono::microseconds(std::uniform_int_distribution<int>(low, high)(random));
  };
  Duration now = 5ms;
  for (int i = 0; i < requests; ++i) {
    const std::string request = "GET " + path(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const Duration took = between(50, 20'000);
    client.send(now, request);
    server.receive(now + 20us, now + 50us, request);
    server.send(now + took, response);
    client.receive(now + took + 20us, now + took + 40us, response);
    now += took + between(100, 5'000);
  }
}

}  // namespace tailcap::synth
