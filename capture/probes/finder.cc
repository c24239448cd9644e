#include "capture/probes/finder.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "bpf/event.h"
#include "capture/allocations/malloc_functions.h"
#include "capture/scan/proc.h"
#include "capture/tls/functions.h"
#include "capture/tls/libraries.h"

namespace tailcap::capture {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxFiles = 65536;  // examined; beyond them the oldest may be examined again
constexpr std::size_t kMaxJobs = 4096;    // many short-lived processes: most run the same programs as others
constexpr std::size_t kMaxFacts = 4096;
// Hits per second by non-targets, measured over a second: 1 % of a CPU at 0.5 µs per hit; 20 % at 10 µs, if every hit
// is a single step.
constexpr std::uint64_t kOthersHits = 20'000;
constexpr auto kOthersInterval = 1s;
constexpr auto kHeapsInterval = 1s;
constexpr std::uint32_t kFileGroups = go::Watch::kGroups;  // and the file's number
// The number of everything that is not governed.
constexpr std::uint32_t kUngoverned = OTHERS_FILES_MAX - 1;
// Numbers for files that one process shows; programs map a few TLS libraries.
constexpr std::uint32_t kNumbersOfProcess = 32;
constexpr std::uint32_t kMallocGroups = kFileGroups + OTHERS_FILES_MAX;
constexpr std::uint32_t kTlsGroups = kMallocGroups + MallocFiles::kMostProcesses;  // and the file's number
// Reads and writes of TLS that is not read by keys.
constexpr std::uint32_t kDataGroups = kTlsGroups + OTHERS_FILES_MAX;
constexpr auto kLongestSleep = 1h;  // asleep, when there is nothing to do

void number_places(PlannedFunction& function, std::uint32_t number) {
  for (auto& place : function.places) place.probe.cookie |= OTHERS_COOKIE(number);
}

// Functions without a group of their own stay probed for the whole recording, unless the governor removes the probes of
// that number.
void group_functions(std::vector<PlannedFunction>& functions, std::uint32_t number) {
  for (auto& function : functions) {
    if (function.group == 0) function.group = kFileGroups + number;
  }
}

// Calls that move bytes of TLS get a group of their own.
void group_data(std::vector<PlannedFunction>& functions, std::uint32_t number) {
  for (auto& function : functions) {
    if (!function.places.empty() && (function.places[0].probe.cookie >> 32 & 0xff) <= bpf::ACT_WRITE_FILE)
      function.group = kDataGroups + number;
  }
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Finder::Finder(Probes& probes, const scan::Processes& processes, Interests interests)
    : probes_(probes),
      interests_(std::move(interests)),
      files_(processes),
      go_(probes, files_),
      tls_(probes, files_, kTlsGroups),
      mallocs_(probes, files_, kMallocGroups) {
  if (interests_.rests && probes_.detaches_at_once()) probes_.functions_may_rest_from(kTlsGroups);
  if ((avoids_calls_ = shadow_stacks_.in_any_process())) probes_.avoid_calls();
  // The command is the recorder's own copy until it runs its program.
  if (const auto own = files_.open({}, {{"/proc/self/exe"}})) looked_.insert(own->identity);
  thread_ = std::thread([this] { run(); });
}

Finder::~Finder() { stop(); }

void Finder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  files_.stop();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Finder::ask(Job job, Clock::duration after) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= kMaxJobs) {
      dropped_.looks++;
      return;
    }
    jobs_.emplace(Clock::now() + after, std::move(job));
  }
  wake_.notify_all();
}

void Finder::examine(std::uint32_t pid) {
  ask({pid, {}}, 0ms);
  ask({pid, {}}, 100ms);
  ask({pid, {}}, 1s);
}

void Finder::forked(std::uint32_t pid) {
  if (interests_.allocations) ask({pid, {}}, 0ms);
}

void Finder::examine_again(std::uint32_t pid) { ask({pid, {}}, 0ms); }

void Finder::examine_system() {
  if (!interests_.tls) return;
  for (auto& path : tls::system_libraries()) ask({0, std::move(path)}, 0ms);
}

void Finder::examine_command(const std::string& command) {
  const std::string path = find_command(command);
  if (path.empty()) return;
  ask({0, path}, 0ms);
  for (const auto& interpreter : interpreters(path)) {
    const std::string program = find_command(interpreter);
    if (!program.empty()) ask({0, program}, 0ms);
  }
}

void Finder::older_connections(std::set<std::uint32_t> processes) {
  tls_.older(std::move(processes));
  { const std::lock_guard lock(mutex_); }  // it does not miss this between its look and its sleep
  wake_.notify_all();
}

void Finder::unread_by_keys(std::uint32_t pid) {
  tls_.unread(pid);
  ask({pid, {}}, 0ms);
}

void Finder::rest(bool on) {
  {
    const std::lock_guard lock(mutex_);
    rests_ = on && interests_.rests && probes_.detaches_at_once();
  }
  wake_.notify_all();
}

void Finder::rest_now(bool on) {
  for (const auto& refused : probes_.rest_functions(files_, on))
    tell_left(refused.file, "left: the kernel refuses its probes at reads and writes: " + refused.reason);
}

bool Finder::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  const auto now = Clock::now();
  return idle_.wait_for(lock, most, [&] { return stop_ || (!busy_ && (jobs_.empty() || jobs_.begin()->first > now)); });
}

void Finder::run() {
  std::unique_lock lock(mutex_);
  const auto unlocked = [&](const auto& work) {
    busy_ = true;
    lock.unlock();
    work();
    lock.lock();
    busy_ = false;
  };
  while (!stop_) {
    const auto now = Clock::now();
    if (go_.governs() && next_look_ <= now) {
      next_look_ = now + go::Governor::kInterval;
      unlocked([&] { go_.govern(); });
    }
    if (go_.reads_heaps() && heaps_look_ <= now) {
      heaps_look_ = now + kHeapsInterval;
      unlocked([&] { go_.read_heaps(); });
    }
    if (others_look_ <= now) {
      others_look_ = now + kOthersInterval;
      unlocked([&] { look_at_others(); });
    }
    if (rests_ != resting_) {
      resting_ = rests_;
      unlocked([&] { rest_now(resting_); });
    }
    if (tls_.asked()) unlocked([&] { tls_.follow(); });
    const auto first = jobs_.begin();
    if (jobs_.empty() || first->first > now) {
      idle_.notify_all();
      auto next = std::min(jobs_.empty() ? now + kLongestSleep : first->first, others_look_);
      if (go_.governs()) next = std::min(next, next_look_);
      if (go_.reads_heaps()) next = std::min(next, heaps_look_);
      wake_.wait_until(lock, next);
      continue;
    }
    const Job job = std::move(first->second);
    jobs_.erase(first);
    unlocked([&] {
      if (job.pid) {
        look_at_process(job.pid);
      } else if (auto file = files_.open(job.file, {{job.file}})) {
        look_at_file(*std::move(file));
      } else {
        tell_unread(job.file);
      }
    });
  }
  idle_.notify_all();
}

// Removes probes on calls as soon as a target has a shadow stack. If the target has already run for a moment, its first
// hit ends it.
void Finder::note_shadow_stack(std::uint32_t pid) {
  if (avoids_calls_ || !shadow_stacks_.in_process(pid)) return;
  avoids_calls_ = true;
  tls_.left_all();
  tls_.follow();
  probes_.avoid_calls();
  tell_left("/proc/" + std::to_string(pid) + "/exe", "it has a shadow stack: no place on a call is probed from now on");
}

// Non-targets pay for hits, too. If they hit a file's probes too often, its probes are removed for good: after placing
// them again, an unseen call could be mistaken for one that was seen.
void Finder::look_at_others() {
  mallocs_.forget_ended();
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(others_looked_, now)).count();
  for (std::size_t i = 0; i < others_.size(); i++) {
    Probed& file = others_[i];
    const auto number = static_cast<std::uint32_t>(i + 1);
    const std::uint64_t hits = probes_.others_hits(number), more = hits - std::exchange(file.hits, hits);
    if (file.left || seconds <= 0 || static_cast<double>(more) <= kOthersHits * seconds) continue;
    file.left = true;
    tls_.left(number);
    tls_.follow();
    probes_.detach_functions(kFileGroups + number);
    probes_.detach_functions(kDataGroups + number);
    tell_left(file.shown, "probes were removed, because processes that are not recorded call it more than " +
                              std::to_string(kOthersHits / 1'000) + ",000 times a second");
  }
}

void Finder::look_at_process(std::uint32_t pid) {
  note_shadow_stack(pid);
  const auto text = files_.process({pid, true, scan::kAllMappings});
  if (!text && (files_.late() || files_.blocked())) tell_unread("/proc/" + std::to_string(pid) + "/maps");
  if (!text) return;
  std::set<Mapped> seen;  // most files are mapped several times
  for (const auto& line : text->maps) {
    const auto mapping = scan::parse_maps_line(pid, line);
    if (!mapping || !mapping->executable || mapping->file.inode == 0) continue;
    const scan::MappedFile& file = mapping->file;
    const bool program = file.path == text->executable;
    const std::string name = name_of(file.path);
    if (!program && !(interests_.tls && tls::is_tls_library(name)) &&
        !(interests_.allocations && is_malloc_library(name)))
      continue;
    if (seen.insert({file.device, file.inode, file.path}).second) look_at_mapping(file, program);
  }
  tls_.follow();
}

// Whether the process still maps a file there, under this name.
bool Finder::maps_still(const scan::MappedFile& mapped) {
  const auto text = files_.process({mapped.pid, false, scan::kAllMappings});
  return text && std::any_of(text->maps.begin(), text->maps.end(), [&](const std::string& line) {
           return line.starts_with(mapped.range) && line.ends_with(mapped.path);
         });
}

void Finder::look_at_mapping(const scan::MappedFile& mapped, bool program) {
  const Mapped key{mapped.device, mapped.inode, mapped.path};
  if (unanswered_.contains(key)) return;
  const std::uint32_t pid = mapped.pid;
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  // map_files is the file itself, whichever file has its name now, and requires privileges that root/ does not.
  std::vector<scan::Candidate> candidates = {{folder + "map_files/" + mapped.range}};
  if (program) candidates.push_back({folder + "exe", mapped.inode});
  candidates.push_back({folder + "root" + mapped.path, mapped.inode});
  auto file = files_.open(mapped.path, candidates, {mapped.device_number(), pid});
  if (!file && (files_.late() || files_.blocked())) {
    if (files_.late() && unanswered_.size() < kMaxFiles) unanswered_.insert(key);
    return tell_unread(mapped.path);
  }
  if (!file) {
    const std::string problem = files_.problem();
    // It may have ended, or run another program.
    if (maps_still(mapped) && unread_.size() < kMaxFiles && unread_.insert(mapped.path).second)
      tell({mapped.path, {}, {}, problem, 0, 0});
    return;
  }
  const auto identity = file->identity;
  look_at_file(*std::move(file));
  tls_.mapped(pid, identity);
  if (program && interests_.go) go_.note_process(pid, identity);
  if (!interests_.allocations || go_.runs_in(pid)) return;
  for (const auto& function : mallocs_.mapped(pid, identity)) tell_function(mapped.path, function, {});
}

bool Finder::looked_at(const scan::Identity& identity) const {
  return probed_.contains({identity.device, identity.inode}) || looked_.contains(identity);
}

// By its name as the process or the user writes it, or by any name that refers to the same file here.
bool Finder::excluded(const scan::TargetFile& file) {
  return std::any_of(interests_.excluded.begin(), interests_.excluded.end(), [&](const std::string& path) {
    if (path == file.shown) return true;
    const auto same = files_.open(path, {{path}});
    return same && same->identity == file.identity;
  });
}

void Finder::look_at_file(scan::TargetFile file) {
  if (looked_.size() > kMaxFiles) looked_.clear();
  if (looked_at(file.identity)) return;
  looked_.insert(file.identity);
  if (excluded(file)) return tell({file.shown, {}, {}, "it is not to be probed (--no-probe)", 0, 0});
  scan::PlanRequest request{file.shown,    interests_.tls,       interests_.tls_keys,    interests_.tls_auto,
                            interests_.go, interests_.go_states, interests_.allocations, 0};
  request.go_file = go_.next_number();
  auto plan = files_.plan(file, request);
  if (!plan) {
    if (files_.blocked()) looked_.erase(file.identity);  // its turn may come
    return tell_unread(file.shown);
  }
  if (!plan->refused.empty()) {
    // A script, or a program for another processor. This is reported only for a library.
    if (tls::is_tls_library(name_of(file.shown))) tell({file.shown, {}, {}, plan->refused, 0, 0});
    return;
  }
  const auto probed = [](const std::vector<PlannedFunction>& functions) {
    return std::any_of(functions.begin(), functions.end(), [](const auto& f) { return !f.places.empty(); });
  };
  const bool probes = probed(plan->functions) || probed(plan->program.functions);
  if ((probes || probed(plan->mallocs)) && !files_.can_be_placed(file)) {
    looked_.erase(file.identity);  // it may be free later
    return tell_missing(file.shown, "not probed: " + files_.problem());
  }
  mallocs_.take(file, std::move(plan->mallocs));
  const std::uint32_t number = probes ? new_number(file) : kUngoverned;
  if (number == 0)
    return tell_missing(file.shown,
                        "not probed: as many files are as can be governed; no probe is placed without that");
  // The user asked for --profile deep at its stated cost, which non-targets that run the same program share. The TLS
  // functions in that program are governed like those of any library.
  const std::uint32_t go_number = interests_.go_states ? kUngoverned : number;
  for (auto& function : plan->functions) number_places(function, number);
  if (plan->go) {
    // Functions with a governor of their own must not cost the file its other probes.
    for (auto& function : plan->program.functions)
      number_places(function, go_.governs(function) ? kUngoverned : go_number);
  }
  std::vector<PlannedFunction> functions = std::move(plan->functions);
  const auto moving = tls_.take(functions);
  if (interests_.rests && probes_.detaches_at_once() && number != kUngoverned) group_data(functions, number);
  group_functions(functions, number);
  if (plan->go) {
    auto own = go_.take_on(file, *std::move(plan));
    group_functions(own, go_number);
    std::move(own.begin(), own.end(), std::back_inserter(functions));
  }
  std::set<std::uint32_t> groups;
  for (const auto& function : functions) groups.insert(function.group);
  bool all = true;
  for (const auto group : groups) {
    std::string refused;
    attach(file, functions, group, refused);
    if (!refused.empty()) go_.refused(file.identity, refused);
    all = all && refused.empty();
  }
  if (all && number != kUngoverned) tls_.attached(file, number, moving);
  if (probed(functions)) probed_.insert({file.identity.device, file.identity.inode});
}

// All at once, since probes attached together are removed together; one by one if the kernel refuses some of them.
void Finder::attach(const scan::TargetFile& file, const std::vector<PlannedFunction>& functions, std::uint32_t group,
                    std::string& refused) {
  std::vector<FunctionProbe> all;
  for (const auto& function : functions) {
    if (function.group != group) continue;
    for (const auto& place : function.places) all.push_back(place.probe);
  }
  const bool together = !all.empty() && probes_.attach_functions(files_, file, all, group).empty();
  for (const auto& function : functions) {
    if (function.group != group) continue;
    std::vector<FunctionProbe> own;
    for (const auto& place : function.places) own.push_back(place.probe);
    const std::string problem =
        together || own.empty() ? std::string() : probes_.attach_functions(files_, file, own, group);
    if (!problem.empty()) refused += (refused.empty() ? "" : "; ") + function.name + ": " + problem;
    tell_function(file.shown, function, problem);
  }
}

void Finder::tell_function(const std::string& path, const PlannedFunction& function, const std::string& refused) {
  if (function.places.empty()) tell({path, function.name, {}, function.reason, 0, 0});
  for (const auto& place : function.places)
    tell({path, function.name, place.text, refused.empty() ? function.reason : refused, place.probe.offset,
          refused.empty() ? place.price : 0});
}

void Finder::tell_left(std::string path, std::string reason) {
  tell({std::move(path), {}, {}, std::move(reason), 0, 0, true});
}

void Finder::tell(ProbeFact fact) {
  const std::lock_guard lock(mutex_);
  if (facts_.size() < kMaxFacts)
    facts_.push_back(std::move(fact));
  else
    dropped_.facts++;
}

void Finder::tell_unread(const std::string& path) {
  if (unread_.size() >= kMaxFiles || !unread_.insert(path).second) return;
  if (files_.late() || files_.blocked()) return tell_missing(path, files_.problem());
  tell({path, {}, {}, files_.problem(), 0, 0});
}

void Finder::tell_missing(const std::string& path, std::string reason) {
  if (missing_.size() < kMaxFiles && missing_.insert(path).second)
    tell({path, {}, {}, std::move(reason), 0, 0, false, interests_.tls});
}

std::uint32_t Finder::new_number(const scan::TargetFile& file) {
  if (others_.size() + 2 >= kUngoverned || (file.pid != 0 && numbers_of_[file.pid] >= kNumbersOfProcess)) return 0;
  if (file.pid != 0) numbers_of_[file.pid]++;
  others_.push_back({file.shown, 0, false});
  return static_cast<std::uint32_t>(others_.size());
}

Finder::Dropped Finder::dropped() const {
  const std::lock_guard lock(mutex_);
  return {dropped_.looks, dropped_.facts + go_.dropped()};
}

std::vector<ProbeFact> Finder::take_new() {
  const std::lock_guard lock(mutex_);
  std::vector<ProbeFact> out(facts_.begin() + static_cast<std::ptrdiff_t>(taken_), facts_.end());
  taken_ = facts_.size();
  return out;
}

std::vector<ProbeFact> Finder::all() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace tailcap::capture
