#include "capture/scan/target_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "capture/scan/message.h"
#include "capture/symbols/elf/build_id.h"

namespace tailcap::capture::scan {

using namespace std::chrono_literals;

namespace {

// Opening takes microseconds, attaching to hundreds of places tens of milliseconds, and the largest programs are read
// in two seconds; on a machine that is busy all of that takes several times as long.
constexpr auto kOpenPatience = 1s, kAttachPatience = 5s, kReadPatience = 8s, kBuildIdPatience = 2s;
constexpr auto kReaderAge = 30s;  // of one that answers several requests; it ends itself at 60
constexpr std::size_t kMostLinesReaders = 3;
constexpr auto kProcessPatience = 1s;
constexpr auto kMemoryPatience = 100ms;  // of many threads, as the recording ends
// For a file of a mount of which none has been read, or of whose others some do not answer.
constexpr auto kFirstPatience = 2s;
constexpr auto kLocksPatience = 2s;
// The problem of a file that would have answered, perhaps: it does not count against others of its process.
constexpr const char* kEnds = "the recording ends";
constexpr std::size_t kMaxKnown = 4096;  // mounts, processes
constexpr std::size_t kMaxPlan = 96u << 20, kMaxNames = 128u << 20, kMaxUnwindRules = 34u << 20, kMaxScripts = 1u << 20;
constexpr std::size_t kPlacesAtOnce = 100;  // where each is two descriptors

std::optional<std::string> contents(int memory, std::size_t most) {
  struct stat status {};
  if (fstat(memory, &status) != 0 || status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > most)
    return std::nullopt;
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = pread(memory, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::uint32_t perf_type() {
  std::uint32_t type = 0;
  return std::ifstream("/sys/bus/event_source/devices/uprobe/type") >> type ? type : 0;
}

}  // namespace

std::optional<TargetFile> TargetFile::again() const {
  Descriptor copy(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return std::nullopt;
  return TargetFile{shown, identity, std::move(copy), pid};
}

TargetFiles::TargetFiles(const Processes& processes)
    : processes_(processes), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_) throw std::system_error(errno, std::generic_category(), "cannot prepare to look at files");
}

void TargetFiles::stop() {
  const std::uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof one);
}

bool TargetFiles::stopped() const {
  pollfd watched{stop_.get(), POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

void TargetFiles::abandon(Descriptor& socket, Owner owner) {
  abandoned_.push_back({std::move(socket), owner});
  answered_.erase(owner.device);
}

// A process that answers after all finds its socket closed, and ends.
bool TargetFiles::used_up(const Owner& owner) {
  std::erase_if(abandoned_, [](const Abandoned& each) {
    pollfd watched{each.socket.get(), POLLIN, 0};
    return poll(&watched, 1, 0) > 0;
  });
  const auto of_device = std::count_if(abandoned_.begin(), abandoned_.end(), [&](const Abandoned& each) {
    return owner.device != 0 && each.owner.device == owner.device;
  });
  const auto of_process = std::count_if(abandoned_.begin(), abandoned_.end(), [&](const Abandoned& each) {
    return owner.pid != 0 && each.owner.pid == owner.pid;
  });
  const bool all = abandoned_.size() >= kMaxAbandonedInAll && !answered_.contains(owner.device);
  return all || std::max(of_device, of_process) >= static_cast<std::ptrdiff_t>(kMaxAbandoned);
}

bool TargetFiles::proven(const Owner& owner) const {
  return answered_.contains(owner.device) &&
         std::none_of(abandoned_.begin(), abandoned_.end(),
                      [&](const Abandoned& each) { return owner.pid != 0 && each.owner.pid == owner.pid; });
}

bool TargetFiles::ask_opener(std::string_view errand, std::span<const int> descriptors, Clock::duration patience,
                             Owner owner, Message& answer) {
  late_ = blocked_ = false;
  for (int tries = 0; tries < 2; tries++) {
    if (stopped()) {
      problem_ = kEnds;
      return false;
    }
    if (used_up(owner)) {
      blocked_ = true;
      problem_ = "other files of the same process or mount do not answer";
      return false;
    }
    if (!opener_) opener_ = processes_.openers().start();
    if (!opener_) {
      problem_ = "the process that opens files is gone";
      return false;
    }
    if (!send_message(opener_.get(), errand, descriptors)) {
      opener_.reset();  // it has ended since
      continue;
    }
    switch (
        receive_message(opener_.get(), Take::descriptors, kMaxReply, answer, Clock::now() + patience, stop_.get())) {
      case Received::message:
        return true;
      case Received::late:
        abandon(opener_, owner);
        late_ = true;
        problem_ = "it does not answer";
        return false;
      case Received::interrupted:
        opener_.reset();
        problem_ = kEnds;
        return false;
      case Received::closed:
        opener_.reset();
        problem_ = "the process that opened it was ended";
        return false;
    }
  }
  problem_ = "the process that opens files is gone";
  return false;
}

std::optional<TargetFile> TargetFiles::open(const std::string& shown, const std::vector<Candidate>& candidates,
                                            Owner owner) {
  Message answer;
  if (!ask_opener(encode_open(candidates), {}, kOpenPatience, owner, answer)) return std::nullopt;
  auto reply = decode_reply(answer.bytes);
  if (!reply || !reply->problem.empty() || answer.descriptors.size() != 1) {
    problem_ = reply && !reply->problem.empty() ? reply->problem : "it cannot be opened";
    return std::nullopt;
  }
  return TargetFile{shown, reply->identity, std::move(answer.descriptors[0]), owner.pid};
}

std::optional<std::string> TargetFiles::read(const TargetFile& file, std::string_view request, std::size_t most,
                                             Clock::duration patience, Reader& reader) {
  if (!proven(file.owner())) patience = std::min<Clock::duration>(patience, kFirstPatience);
  const auto deadline = Clock::now() + patience;
  if (Clock::now() - reader.since > kReaderAge) reader.socket.reset();
  if (!reader.socket) reader = {processes_.readers().start(), Clock::now()};
  const Descriptor memory(memfd_create("tailcap", MFD_CLOEXEC));
  if (!reader.socket || !memory) {
    problem_ = "no process can be made to read it";
    return std::nullopt;
  }
  const int descriptors[] = {file.descriptor.get(), reader.socket.get(), memory.get()};
  Message answer;
  if (!ask_opener(encode_read(file.identity, request), descriptors, std::min<Clock::duration>(kOpenPatience, patience),
                  file.owner(), answer)) {
    reader.socket.reset();  // it may get the request yet, and answer it to the next one
    return std::nullopt;
  }
  const auto reply = decode_reply(answer.bytes);
  if (!reply || !reply->problem.empty()) {
    problem_ = reply ? reply->problem : "it cannot be opened";
    return std::nullopt;
  }
  const auto received = receive_message(reader.socket.get(), Take::bytes_only, 1, answer, deadline, stop_.get());
  std::optional<std::string> bytes;
  if (received == Received::message) {
    bytes = contents(memory.get(), most);
    problem_ = bytes ? "" : "it has more to tell than is kept of a file";
    if (answered_.size() >= kMaxKnown) answered_.clear();
    answered_.insert(file.identity.device);
  } else if (received == Received::closed) {
    problem_ = "it cannot be read within the limits of memory and time that a file has";
  } else {
    late_ = received == Received::late;
    problem_ = late_ ? "it does not answer" : kEnds;
    if (late_) abandon(reader.socket, file.owner());
  }
  if (!bytes) reader.socket.reset();
  return bytes;
}

std::optional<std::string> TargetFiles::read(const TargetFile& file, std::string_view request, std::size_t most) {
  Reader reader;
  return read(file, request, most, kReadPatience, reader);
}

TargetFiles::Reader& TargetFiles::lines_reader(const Identity& file) {
  const auto known = std::ranges::find(of_lines_, file, &std::pair<Identity, Reader>::first);
  if (known != of_lines_.end()) {
    std::rotate(known, known + 1, of_lines_.end());
    return of_lines_.back().second;
  }
  if (of_lines_.size() == kMostLinesReaders) of_lines_.erase(of_lines_.begin());
  return of_lines_.emplace_back(file, Reader()).second;
}

std::optional<FilePlan> TargetFiles::plan(const TargetFile& file, const PlanRequest& request) {
  const auto bytes = read(file, encode(request), kMaxPlan);
  if (!bytes) return std::nullopt;
  auto plan = decode_plan(*bytes, request.go_file);
  if (!plan) problem_ = "it was not understood";
  return plan;
}

std::optional<std::string> TargetFiles::build_id(const TargetFile& file) {
  const auto bytes = read(file, encode_build_id_request(), symbols::kMaxBuildId, kBuildIdPatience, build_ids_);
  return bytes ? decode_build_id(*bytes) : std::nullopt;
}

std::optional<symbols::CodeNames> TargetFiles::names(const TargetFile& file) {
  const auto bytes = read(file, encode_names_request(), kMaxNames);
  if (!bytes) return std::nullopt;
  auto names = decode_names(*bytes);
  if (!names) problem_ = "it was not understood";
  return names;
}

std::optional<symbols::UnwindRules> TargetFiles::unwind_rules(const TargetFile& file) {
  const auto bytes = read(file, encode_unwind_rules_request(), kMaxUnwindRules);
  if (!bytes) return std::nullopt;
  auto rules = decode_unwind_rules(*bytes);
  if (!rules) problem_ = "it was not understood";
  return rules;
}

std::optional<symbols::ScriptPrograms> TargetFiles::scripts(const TargetFile& file) {
  const auto bytes = read(file, encode_scripts_request(), kMaxScripts);
  if (!bytes) return std::nullopt;
  auto programs = decode_scripts(*bytes);
  if (!programs) problem_ = "it was not understood";
  return programs;
}

std::optional<symbols::VariableNames> TargetFiles::variables(const TargetFile& file) {
  const auto bytes = read(file, encode_variables_request(), kMaxNames);
  if (!bytes) return std::nullopt;
  auto names = decode_variables(*bytes);
  if (!names) problem_ = "it was not understood";
  return names;
}

std::optional<symbols::SourceLines> TargetFiles::source_lines(const TargetFile& file, const LinesRequest& request) {
  const auto bytes = read(file, encode(request), kMaxNames, kReadPatience, lines_reader(file.identity));
  if (!bytes) return std::nullopt;
  auto lines = decode_source_lines(*bytes);
  if (!lines) problem_ = "it was not understood";
  return lines;
}

std::optional<symbols::PerfMap> TargetFiles::perf_map(const TargetFile& file, std::uint32_t user) {
  const auto bytes = read(file, encode_perf_map_request(user), kMaxNames);
  if (!bytes) return std::nullopt;
  auto map = decode_perf_map(*bytes);
  if (!map) problem_ = "it was not understood";
  return map;
}

std::vector<int> TargetFiles::attach(const TargetFile& file, std::span<const int> programs,
                                     const std::vector<FunctionProbe>& places, bool many, bool anew,
                                     std::uint32_t pid) {
  Identity identity = file.identity;
  if (anew) identity.changed = 0;
  const std::uint32_t type = many ? 0 : perf_type();
  if (!many && type == 0) {
    problem_ = "this kernel has no uprobes (CONFIG_UPROBE_EVENTS)";
    return std::vector<int>{};
  }
  std::vector<int> descriptors = {file.descriptor.get()};
  descriptors.insert(descriptors.end(), programs.begin(), programs.end());
  std::vector<int> links;
  const std::size_t at_once = many ? places.size() : kPlacesAtOnce;
  for (std::size_t first = 0; first < places.size(); first += at_once) {
    const auto begin = places.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(at_once, places.size() - first));
    Message answer;
    const bool asked = ask_opener(encode_attach(identity, {many, type, pid}, {begin, end}), descriptors,
                                  kAttachPatience, file.owner(), answer);
    const auto reply = asked ? decode_reply(answer.bytes) : std::nullopt;
    if (asked) problem_ = reply ? reply->problem : "it cannot be probed";
    if (reply && reply->problem.empty()) {
      for (auto& link : answer.descriptors) links.push_back(link.release());
      continue;
    }
    for (const int link : links) close(link);
    return {};
  }
  return links;
}

std::optional<std::int32_t> TargetFiles::word(std::uint32_t pid, std::uint64_t address) {
  Message answer;
  const bool asked = ask_opener(encode_memory(pid, address), {}, kOpenPatience, {0, pid}, answer);
  const auto reply = asked ? decode_reply(answer.bytes) : std::nullopt;
  if (asked) problem_ = reply ? reply->problem : "its memory cannot be read";
  return reply && reply->problem.empty() ? std::optional(reply->word) : std::nullopt;
}

std::optional<std::string> TargetFiles::memory(std::uint32_t pid, std::uint64_t address, std::uint32_t size) {
  Message answer;
  if (!ask_opener(encode_stack(pid, address, size), {}, kMemoryPatience, {0, pid}, answer)) return std::nullopt;
  auto reply = decode_reply(answer.bytes);
  if (!reply || !reply->problem.empty() || reply->text.size() > size) return std::nullopt;
  return std::move(reply->text);
}

bool TargetFiles::can_be_placed(const TargetFile& file) {
  Message answer;
  if (ask_opener(encode_locks(file.identity.inode), {}, kLocksPatience, file.owner(), answer)) return true;
  if (late_)
    problem_ = "a process that maps it keeps the lock of its memory; all processes that fork would wait for that";
  return false;
}

std::optional<ProcessText> TargetFiles::process(const ProcessQuestion& question) {
  if (silent_.contains(question.pid)) return std::nullopt;
  Message answer;
  const bool asked = ask_opener(encode_process(encode(question)), {}, kProcessPatience, {0, question.pid}, answer);
  if (!asked && late_) {
    if (silent_.size() >= kMaxKnown) silent_.clear();
    silent_.insert(question.pid);
  }
  const auto reply = asked ? decode_reply(answer.bytes) : std::nullopt;
  auto text = reply ? decode_process_text(reply->text) : std::nullopt;
  if (asked && !text) problem_ = "what /proc shows of it was not understood";
  return text;
}

}  // namespace tailcap::capture::scan
