#include "capture/scan/opener.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "capture/host/clocks.h"
#include "capture/scan/function_places.h"
#include "capture/scan/message.h"
#include "capture/scan/process_text.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::scan {

namespace {

constexpr std::size_t kMaxCandidates = 8, kMaxPath = 8192, kMaxText = 65536;
constexpr unsigned kLongest = 30;  // seconds; nothing waits for it after that, and a wait that can be interrupted ends
constexpr unsigned kLongestOfProcess = 3;
constexpr std::uint32_t kMaxStack = 64u << 10;
constexpr std::size_t kMaxErrand = 8u << 20;  // 16,384 places

Identity identity_of(const struct stat& status) {
  const auto ns = [](const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim),
          ns(status.st_ctim)};
}

void encode_identity(Encoder& out, const Identity& identity) {
  out.number(identity.device);
  out.number(identity.inode);
  out.number(identity.size);
  out.number(identity.modified);
  out.number(identity.changed);
}

Identity decode_identity(Decoder& in) {
  Identity identity;
  identity.device = in.number<std::uint64_t>();
  identity.inode = in.number<std::uint64_t>();
  identity.size = in.number<std::uint64_t>();
  identity.modified = in.number<std::int64_t>();
  identity.changed = in.number<std::int64_t>();
  return identity;
}

std::string encode_reply(const Reply& reply) {
  Encoder out;
  out.text(reply.problem);
  encode_identity(out, reply.identity);
  out.number(reply.word);
  out.text(reply.text);
  return out.take();
}

std::string why() { return std::strerror(errno); }

// A time in the future comes from another clock.
bool changed_since(const Identity& file, std::int64_t time) {
  return file.changed >= time && file.changed <= read_clock(CLOCK_REALTIME);
}

// Does not open the file for reading: the name may meanwhile refer to anything.
Reply open_file(Decoder& in, std::vector<Descriptor>& out) {
  Reply reply{"it is gone", {}, 0, {}};
  for (std::size_t left = in.count(kMaxCandidates, 32); left > 0 && in.ok(); left--) {
    const std::string path(in.text(kMaxPath));
    const auto inode = in.number<std::uint64_t>(), device = in.number<std::uint64_t>();
    const auto unchanged_since = in.number<std::int64_t>();
    struct stat status {};
    Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!file || fstat(file.get(), &status) != 0) {
      reply.problem = "it cannot be found: " + why();
    } else if (!S_ISREG(status.st_mode)) {
      reply.problem = "it is not a regular file";
    } else if ((inode != 0 && status.st_ino != inode) || (device != 0 && status.st_dev != device)) {
      reply.problem = "another file has its name by now";
    } else if (unchanged_since != 0 && changed_since(identity_of(status), unchanged_since)) {
      reply.problem = "it was changed meanwhile";
    } else {
      out.push_back(std::move(file));
      return {{}, identity_of(status), 0, {}};
    }
  }
  return reply;
}

// The same file, or none.
Descriptor open_to_read(const Descriptor& file, const Identity& identity, std::string& problem) {
  struct stat status {};
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  Descriptor readable(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!readable || fstat(readable.get(), &status) != 0) {
    problem = "it cannot be opened: " + why();
    return Descriptor();
  }
  Identity now = identity_of(status);
  if (identity.changed == 0) now.changed = 0;
  if (!S_ISREG(status.st_mode) || now != identity) {
    problem = "it was changed while it was looked at";
    return Descriptor();
  }
  return readable;
}

Reply hand_over(Decoder& in, const std::vector<Descriptor>& given) {
  const Identity identity = decode_identity(in);
  const std::string_view request = in.text(kMaxText);
  if (!in.ok() || given.size() != 3) return {"the request was damaged", {}, 0, {}};
  Reply reply;
  const Descriptor readable = open_to_read(given[0], identity, reply.problem);
  if (!readable) return reply;
  const int sent[] = {readable.get(), given[2].get()};
  if (!send_message(given[1].get(), request, sent))
    reply.problem = "it cannot be handed to the process that reads files: " + why();
  return reply;
}

// Whether the instructions are those that the plan was made from.
bool same_code(int file, const std::vector<FunctionProbe>& places) {
  for (const auto& place : places) {
    char code[kMaxInstruction];
    const auto size = place.code.size();
    if (size == 0 || size > sizeof code || place.offset > INT64_MAX) return false;
    if (pread(file, code, size, static_cast<off_t>(place.offset)) != static_cast<ssize_t>(size) ||
        std::memcmp(code, place.code.data(), size) != 0)
      return false;
  }
  return true;
}

Reply attach(Decoder& in, const std::vector<Descriptor>& given, std::vector<Descriptor>& out) {
  const Identity identity = decode_identity(in);
  PlaceLinks how;
  how.many = in.truth();
  how.type = in.number<std::uint32_t>();
  how.pid = in.number<std::uint32_t>();
  std::vector<FunctionProbe> places;
  for (std::size_t left = in.count(kMaxPlaces, 25); left > 0 && in.ok(); left--) {
    FunctionProbe& place = places.emplace_back();
    place.program = static_cast<FunctionProgram>(in.number<std::uint8_t>());
    place.offset = in.number<std::uint64_t>();
    place.cookie = in.number<std::uint64_t>();
    place.code = in.text(kMaxInstruction);
    if (static_cast<std::size_t>(place.program) + 1 >= given.size()) in.fail();
  }
  if (!in.done()) return {"the request was damaged", {}, 0, {}};
  Reply reply;
  const Descriptor readable = open_to_read(given[0], identity, reply.problem);
  if (!readable) return reply;
  if (!same_code(readable.get(), places)) return {"its code was changed while it was looked at", {}, 0, {}};
  std::vector<int> programs;
  for (std::size_t i = 1; i < given.size(); i++) programs.push_back(given[i].get());
  std::vector<int> links;
  reply.problem = how.many ? link_many(readable.get(), how, programs, places, links)
                           : link_each(readable.get(), how, programs, places, links);
  for (const int link : links) out.emplace_back(link);
  if (!reply.problem.empty()) out.clear();
  return reply;
}

Reply read_memory(Decoder& in) {
  const std::string path = "/proc/" + std::to_string(in.number<std::uint32_t>()) + "/mem";
  const auto address = in.number<std::uint64_t>();
  Reply reply;
  const Descriptor memory(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!memory || address > INT64_MAX ||
      pread(memory.get(), &reply.word, sizeof reply.word, static_cast<off_t>(address)) != sizeof reply.word)
    reply.problem = "its memory cannot be read: " + why();
  return reply;
}

Reply read_stack(Decoder& in) {
  const std::string path = "/proc/" + std::to_string(in.number<std::uint32_t>()) + "/mem";
  const auto address = in.number<std::uint64_t>();
  const std::size_t size = std::min(in.number<std::uint32_t>(), kMaxStack);
  Reply reply;
  const Descriptor memory(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  reply.text.resize(size);
  const ssize_t got =
      !memory || address > INT64_MAX ? -1 : pread(memory.get(), reply.text.data(), size, static_cast<off_t>(address));
  if (got <= 0) return {"its memory cannot be read: " + why(), {}, 0, {}};
  reply.text.resize(static_cast<std::size_t>(got));
  return reply;
}

}  // namespace

std::string encode_open(const std::vector<Candidate>& candidates) {
  Encoder out;
  out.number(Errand::open);
  out.number(static_cast<std::uint64_t>(candidates.size()));
  for (const auto& candidate : candidates) {
    out.text(candidate.path);
    out.number(candidate.inode);
    out.number(candidate.device);
    out.number(candidate.unchanged_since);
  }
  return out.take();
}

std::string encode_read(const Identity& identity, std::string_view request) {
  Encoder out;
  out.number(Errand::read);
  encode_identity(out, identity);
  out.text(request);
  return out.take();
}

std::string encode_attach(const Identity& identity, const PlaceLinks& links, const std::vector<FunctionProbe>& places) {
  Encoder out;
  out.number(Errand::attach);
  encode_identity(out, identity);
  out.number(links.many);
  out.number(links.type);
  out.number(links.pid);
  out.number(static_cast<std::uint64_t>(places.size()));
  for (const auto& place : places) {
    out.number(place.program);
    out.number(place.offset);
    out.number(place.cookie);
    out.text(place.code);
  }
  return out.take();
}

std::string encode_memory(std::uint32_t pid, std::uint64_t address) {
  Encoder out;
  out.number(Errand::memory);
  out.number(pid);
  out.number(address);
  return out.take();
}

std::string encode_stack(std::uint32_t pid, std::uint64_t address, std::uint32_t size) {
  Encoder out;
  out.number(Errand::stack);
  out.number(pid);
  out.number(address);
  out.number(size);
  return out.take();
}

std::string encode_process(std::string_view question) {
  Encoder out;
  out.number(Errand::process);
  return out.take().append(question);
}

std::string encode_locks(std::uint64_t inode) {
  Encoder out;
  out.number(Errand::locks);
  out.number(inode);
  return out.take();
}

std::optional<Reply> decode_reply(std::string_view bytes) {
  Decoder in(bytes);
  Reply reply;
  reply.problem = in.text(kMaxText);
  reply.identity = decode_identity(in);
  reply.word = in.number<std::int32_t>();
  reply.text = in.text(kMaxProcessText);
  return in.done() ? std::optional(std::move(reply)) : std::nullopt;
}

void serve_opening(int socket) {
  for (Message message; receive_message(socket, Take::descriptors, kMaxErrand, message) == Received::message;) {
    Decoder in(message.bytes);
    const auto errand = static_cast<Errand>(in.number<std::uint8_t>());
    alarm(errand == Errand::process || errand == Errand::locks ? kLongestOfProcess : kLongest);
    std::vector<Descriptor> out;
    Reply reply{"the request was damaged", {}, 0, {}};
    if (errand == Errand::open) reply = open_file(in, out);
    if (errand == Errand::memory) reply = read_memory(in);
    if (errand == Errand::stack) reply = read_stack(in);
    if (errand == Errand::process) reply = {{}, {}, 0, answer(in)};
    if (errand == Errand::locks) reply = {take_locks(in.number<std::uint64_t>()), {}, 0, {}};
    if (errand == Errand::read && !message.descriptors.empty()) reply = hand_over(in, message.descriptors);
    if (errand == Errand::attach && !message.descriptors.empty()) reply = attach(in, message.descriptors, out);
    std::vector<int> descriptors;
    for (const auto& descriptor : out) descriptors.push_back(descriptor.get());
    message = {};
    alarm(0);
    if (!send_message(socket, encode_reply(reply), descriptors)) return;
  }
}

}  // namespace tailcap::capture::scan
