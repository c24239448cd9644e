#include "inject/counts.h"

#include <string_view>
#include <utility>

namespace tailcap::inject {
namespace {

constexpr std::pair<inject_count, std::string_view> kWithout[] = {
    {COUNT_HAD, "had a request id or a trace of their own"},
    {COUNT_ROOM, "the send buffer was not certain to take the head at once"},
    {COUNT_PIECES, "the end of the head lay in a later piece of the kernel's memory"},
    {COUNT_BEHIND, "were behind six others in one send"},
};
constexpr std::pair<inject_count, std::string_view> kLeft[] = {
    {LEFT_TLS, "TLS"},
    {LEFT_HTTP2, "HTTP/2"},
    {LEFT_OTHER, "no request of HTTP/1.x where one should begin"},
    {LEFT_SPLIT, "a head in several sends"},
    {LEFT_LONG, "a head of more than 4,096 bytes or 64 fields"},
    {LEFT_UPGRADE, "Upgrade"},
    {LEFT_CONNECT, "CONNECT"},
    {LEFT_FRAMING, "a length, a coding or a chunk that is not certain"},
    {LEFT_PROCESS, "another process sent on it"},
    {LEFT_UNSEEN, "bytes were sent that the program did not see"},
    {LEFT_PARTLY, "the kernel might take a part of a head, or of a chunk's border"},
    {LEFT_NAGLE, "a send of more than 64 KiB without TCP_NODELAY"},
    {LEFT_WORK, "a send with too many chunks or heads"},
    {LEFT_TAKEN, "kernel TLS, MPTCP or zero-copy sends"},
    {LEFT_REFUSED, "the kernel refused to add bytes, or another program has the socket"},
    {LEFT_TABLE, "--max-connections were followed"},
};

std::string grouped(std::uint64_t n) {
  std::string s = std::to_string(n);
  for (std::size_t at = s.size(); at > 3;) s.insert(at -= 3, ",");
  return s;
}

std::uint64_t left_alone(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [kind, what] : kLeft) sum += counts[kind];
  return sum;
}

}  // namespace

Counts operator-(const Counts& a, const Counts& b) {
  Counts out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

std::string progress_line(const Counts& now, const Counts& before, std::uint64_t seconds) {
  return std::to_string(seconds) + " s  " + grouped(now[COUNT_GIVEN]) + " requests got ids (+" +
         grouped(now[COUNT_GIVEN] - before[COUNT_GIVEN]) + "), " + grouped(now[COUNT_HAD]) + " had some  " +
         grouped(now[COUNT_FOLLOWED]) + " connections, " + grouped(left_alone(now)) + " left alone";
}

std::string summary(const Counts& counts) {
  std::string out = "connections followed from their first byte  " + grouped(counts[COUNT_FOLLOWED]) + "\n" +
                    "requests that got ids                       " + grouped(counts[COUNT_GIVEN]) + "\n";
  for (const auto& [kind, what] : kWithout)
    if (counts[kind] != 0) out += "requests without: " + std::string(what) + "  " + grouped(counts[kind]) + "\n";
  for (const auto& [kind, what] : kLeft)
    if (counts[kind] != 0) out += "connections left alone: " + std::string(what) + "  " + grouped(counts[kind]) + "\n";
  return out;
}

}  // namespace tailcap::inject
