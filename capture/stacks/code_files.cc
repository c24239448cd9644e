#include "capture/stacks/code_files.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "capture/stacks/scripts/frame_name.h"
#include "capture/symbols/elf/build_id.h"
#include "ground/text.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxFiles = 4096;
constexpr std::uint64_t kMaxMemory = 160u << 20;  // of all names: node takes 20 MiB; files beyond stay without
constexpr std::size_t kMaxRemarks = 8;
constexpr int kTries = 3;  // a process may be writing the file
// Entries of debug information: a second of CPU time, at low priority. Larger ones are for `tailcap symbolize`.
constexpr std::uint64_t kMostInformation = 24u << 20;
constexpr std::size_t kMostLineTables = 8;  // of a file

}  // namespace

CodeFiles::CodeFiles(const scan::Processes& processes, StackMaps maps)
    : target_files_(processes),
      debug_files_(processes),
      tables_(maps.unwind),
      scripts_(maps.scripts),
      thread_([this] { run(); }),
      lines_thread_([this] { run_lines(); }) {}

CodeFiles::~CodeFiles() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  target_files_.stop();
  debug_files_.stop();
  wake_.notify_all();
  thread_.join();
  lines_thread_.join();
}

std::shared_ptr<CodeFile> CodeFiles::file(const scan::MappedFile& mapped, std::shared_ptr<const CodeUse>& use) {
  if (files_.size() >= kMaxFiles) files_.clear();
  auto& known = files_[mapped.key()];
  use = known ? known->use_.lock() : nullptr;
  if (use) return known;
  use = std::make_shared<CodeUse>();
  std::string_view name(mapped.path);
  constexpr std::string_view kDeleted = " (deleted)";
  if (name.ends_with(kDeleted)) name.remove_suffix(kDeleted.size());
  const auto file = std::make_shared<CodeFile>("[" + frame_name(name.substr(name.rfind('/') + 1)) + "]", mapped);
  file->use_ = use;
  // No process maps the earlier one: it may have been removed, and its inode may be another file's.
  file->earlier_ = std::exchange(known, file);
  {
    const std::lock_guard lock(mutex_);
    files_to_read_.push_back(known);
  }
  return known;
}

void CodeFiles::tell(std::uint32_t pid, std::vector<CodeRange> ranges) {
  if (tables_.wanted()) {
    const std::lock_guard lock(mutex_);
    if (ranges.empty()) made_.forget(pid);
    std::erase_if(processes_, [&](const Process& p) { return p.pid == pid; });
    processes_.push_back({pid, std::move(ranges)});
  }
  wake_.notify_all();
}

std::shared_ptr<CodeFile> CodeFiles::made_by(std::uint32_t pid, const std::shared_ptr<CodeFile>& dump) {
  std::shared_ptr<CodeFile> code;
  {
    const std::lock_guard lock(mutex_);
    code = made_.next(pid, dump, MadeCode::Clock::now());
  }
  if (code) wake_.notify_all();
  return code;
}

void CodeFiles::read_made(MadeCode::Reading& reading) {
  const auto began = MadeCode::Clock::now();
  if (reading.inode == 0) reading.process = own_identity(reading.pid);
  std::optional<symbols::PerfMap> map;
  if (reading.process.pid != 0) {
    const std::string name = "/tmp/perf-" + std::to_string(reading.process.pid) + ".map";
    std::vector<scan::Candidate> candidates = {
        {"/proc/" + std::to_string(reading.pid) + "/root" + name, reading.inode, reading.device}};
    if (reading.inode != 0) candidates.push_back({name, reading.inode, reading.device});
    for (int i = 0; i < kTries && !map; ++i) {
      const auto found = target_files_.open(name, candidates, {0, reading.pid});
      if (!found) break;
      map = target_files_.perf_map(*found, reading.process.user);
      reading.device = found->identity.device;
      reading.inode = found->identity.inode;
    }
  }
  if ((!map || map->memory() == 0) && reading.dump && reading.process.pid != 0) {
    if (const auto found = find(*reading.dump)) map = target_files_.perf_map(*found, reading.process.user);
  }
  const bool found = map && map->memory() > 0;
  if (found && memory_ + map->memory() <= kMaxMemory) reading.code->read().made = std::move(map);
  reading.code->read().settled.store(true, std::memory_order_release);
  reading.code->read().ready.store(true, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  const auto now = MadeCode::Clock::now();
  made_.done(reading, now - began, found, now);
}

std::optional<scan::TargetFile> CodeFiles::find(const CodeFile& file, scan::TargetFiles& files) {
  auto mapped = *file.mapped_;
  if (file.dump()) mapped.mapped_by = 0;  // it grows
  return files.open(mapped.path, mapped.candidates(), {mapped.device_number(), mapped.pid});
}

std::optional<scan::TargetFile> CodeFiles::find(CodeFile& file) {
  auto found = find(file, target_files_);
  if (found && !file.ready()) file.read().identity = found->identity;
  return found;
}

std::vector<std::string> CodeFiles::take_remarks() {
  const std::lock_guard lock(mutex_);
  return std::exchange(remarks_, {});
}

// Reads files that are called like an interpreter, and those in which names have found one.
const symbols::ScriptPrograms& CodeFiles::scripts_in(CodeFile& file) {
  if (file.read().scripts) return *file.read().scripts;
  std::optional<symbols::ScriptPrograms> programs;
  if (file.mapped_ && (file.names_interpreter() || file.called_interpreter())) {
    const auto found = find(file);
    if (found) programs = target_files_.scripts(*found);
  }
  return file.read().scripts.emplace(std::move(programs).value_or(symbols::ScriptPrograms()));
}

void CodeFiles::remark_unknown(const CodeFile& file) {
  for (const ScriptLanguage* language : languages()) {
    if (!file.has(*language) || file.reads(*language)) continue;
    const std::string version = language->version(*file.read().scripts, file.label_);
    const std::lock_guard lock(mutex_);
    if (remarks_.size() < kMaxRemarks && remarked_.size() < kMaxRemarks && remarked_.insert(version).second)
      remarks_.push_back("functions of " + version + " are not read: this version of tailcap does not know how " +
                         frame_name(file.mapped_->path) + " keeps its frames");
  }
}

void CodeFiles::recognise(CodeFile& file) {
  const auto earlier = std::exchange(file.earlier_, nullptr);
  if (!earlier) return;
  const auto found = find(file);
  if (!found || found->identity != earlier->read().identity) {
    if (earlier->settled()) memory_ -= earlier->read().memory();
    return;
  }
  file.same_ = earlier->is_same_ ? earlier->same_ : earlier->own_;
  file.is_same_.store(true, std::memory_order_release);
}

// Places in a file that is no ELF file of this processor have no names.
void CodeFiles::read_names(CodeFile& file) {
  recognise(file);
  if (file.ready()) return;
  const auto found = find(file);
  auto names = found ? target_files_.names(*found) : std::nullopt;
  if (names && memory_ + names->memory() <= kMaxMemory) {
    memory_ += names->memory();
    file.read().names = std::move(names);
    if (!file.read().scripts) {
      scripts_in(file);
      if (file.has_interpreter()) found_scripts_in(file);
    }
    remark_unknown(file);
  }
  if (file.read().names) file.read().build_id = ground::hex_text(file.read().names->build_id());
  if (!file.read().names) file.read().settled.store(true, std::memory_order_release);
  file.read().ready.store(true, std::memory_order_release);
}

// Where distributions put debug information of files that they strip, in the process's own file system first. The file
// must have the same build-id.
std::optional<scan::TargetFile> CodeFiles::find_separate(const CodeFile& file) {
  ReadCode& read = file.read();
  const std::string by_id = symbols::debug_path(read.build_id);
  if (by_id.empty()) return std::nullopt;
  const std::string path = "/usr/lib/debug" + by_id;
  auto found = debug_files_.open(path, {{"/proc/" + std::to_string(file.mapped_->pid) + "/root" + path}, {path}},
                                 {0, file.mapped_->pid});
  if (!found || found->identity == read.separate_file) return found;
  if (ground::hex_text(debug_files_.build_id(*found).value_or("")) != read.build_id) return std::nullopt;
  read.separate_file = found->identity;
  return found;
}

void CodeFiles::settle(CodeFile& file) {
  if (file.settled()) return;  // as the file that it turned out to be
  const auto separate = find_separate(file);
  auto names = separate ? debug_files_.names(*separate) : std::nullopt;
  if (names && memory_ + names->memory() <= kMaxMemory) {
    memory_ += names->memory();
    file.read().separate = std::move(names);
  }
  const bool has_lines = separate || file.read().names->has_lines();
  file.read().has_all_lines.store(!has_lines, std::memory_order_release);
  file.read().settled.store(true, std::memory_order_release);
}

void CodeFiles::ask_for_lines(const std::shared_ptr<CodeFile>& file, std::span<const std::uint64_t> places) {
  WantedLines wanted{file, {}};
  for (const std::uint64_t place : places) {
    if (const auto address = file->read().names->address(place)) wanted.addresses.push_back(*address);
  }
  if (wanted.addresses.empty()) return;
  file->read().reads_lines.store(true, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    lines_to_read_.push_back(std::move(wanted));
  }
  wake_.notify_all();
}

// Only what was not read before, until there are several tables: then one of everything.
void CodeFiles::read_lines(const WantedLines& wanted) {
  CodeFile& file = *wanted.file;
  ReadCode& read = file.read();
  read.asked.insert(read.asked.end(), wanted.addresses.begin(), wanted.addresses.end());
  auto found = find_separate(file);
  if (!found && read.names->has_lines()) {
    found = find(file, debug_files_);
    if (found && found->identity != read.identity) found.reset();
  }
  ReadCode::LineTables tables = read.line_tables();
  const bool anew = tables.size() >= kMostLineTables;
  auto lines = found ? debug_files_.source_lines(*found, {kMostInformation, anew ? read.asked : wanted.addresses})
                     : std::nullopt;
  std::uint64_t before = 0;
  if (anew)
    for (const auto& table : std::exchange(tables, {})) before += table->memory();
  const bool lost = anew && lines && lines->empty();  // all units together are more than is read
  if (lines && !lost && memory_ - before + lines->memory() <= kMaxMemory) {
    memory_ += lines->memory() - before;
    tables.push_back(std::make_shared<const symbols::SourceLines>(std::move(*lines)));
    read.set_lines(std::move(tables));
  } else {
    read.has_all_lines.store(true, std::memory_order_release);
  }
  read.reads_lines.store(false, std::memory_order_release);
}

UnwindTables::Table CodeFiles::table_of(CodeFile& file) {
  if (!file.mapped_) return file.label_ == "[vdso]" ? tables_.vdso() : nullptr;
  if (auto known = file.read().table.lock()) return known;
  if (!file.read().has_rules) return nullptr;
  const auto found = find(file);
  const auto rules = found ? target_files_.unwind_rules(*found) : std::nullopt;
  auto table = rules ? tables_.add(*rules) : nullptr;
  // One that found no room is tried again with the next process.
  file.read().has_rules = rules && !rules->rows().empty();
  file.read().table = table;
  return table;
}

// Interpreters' own tables first: a process may map fifty files, and the functions of its scripts need these alone.
void CodeFiles::walk_by_tables(const Process& process) {
  if (process.ranges.empty()) return tables_.forget(process.pid);
  std::vector<UnwindTables::Mapping> mappings;
  for (const CodeRange& range : process.ranges)
    mappings.push_back({range.start, range.end, range.offset, range.file ? range.file->read().table.lock() : nullptr});
  const auto read = [&](bool interpreters) {
    bool some = false;
    for (std::size_t i = 0; i < mappings.size(); ++i) {
      CodeFile* const file = process.ranges[i].file.get();
      if (!file || mappings[i].table || file->has_interpreter() != interpreters) continue;
      mappings[i].table = table_of(*file);
      some = true;
    }
    return some;
  };
  if (read(true)) tables_.set(process.pid, mappings);
  read(false);
  tables_.set(process.pid, mappings);
}

void CodeFiles::found_scripts_in(const CodeFile& file) {
  std::vector<Process> processes;
  for (const auto& [pid, process] : without_scripts_) {
    if (std::any_of(process.ranges.begin(), process.ranges.end(), [&](const auto& r) { return r.file.get() == &file; }))
      processes.push_back(process);
  }
  for (const Process& process : processes) read_scripts_of(process);
}

void CodeFiles::read_scripts_of(const Process& process) {
  without_scripts_.erase(process.pid);
  bool unread = false;
  for (const CodeRange& range : process.ranges) {
    if (!range.file) continue;
    if (!range.file->called_interpreter() && !range.file->read().scripts) {
      unread = unread || !range.file->ready();
      continue;
    }
    const auto& programs = scripts_in(*range.file);
    const auto address = symbols::address_of(programs.code, range.offset);
    if (!address) continue;
    for (const ScriptLanguage* language : languages()) {
      if (const auto found = language->process(programs, range.start - *address))
        return scripts_.set(process.pid, *found);
    }
  }
  if (unread) without_scripts_[process.pid] = process;
  scripts_.forget(process.pid);
}

void CodeFiles::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    MadeCode::Clock::time_point due;
    std::optional<MadeCode::Reading> made;
    if (files_to_read_.empty() && processes_.empty()) {
      made = made_.take(MadeCode::Clock::now(), hurry_, due);
      if (!made) {
        idle_.notify_all();
        due == due.max() ? wake_.wait(lock) : (void)wake_.wait_until(lock, due);
        continue;
      }
    }
    busy_ = true;
    if (made) {
      lock.unlock();
      read_made(*made);
      lock.lock();
      busy_ = false;
      continue;
    }
    if (!processes_.empty()) {
      const Process process = std::move(processes_.front());
      processes_.pop_front();
      lock.unlock();
      for (const CodeRange& range : process.ranges)
        if (range.file) recognise(*range.file);
      read_scripts_of(process);
      walk_by_tables(process);
    } else {
      const auto file = std::move(files_to_read_.front());
      files_to_read_.pop_front();
      lock.unlock();
      read_names(*file);
      lock.lock();
      if (!file->settled()) lines_to_read_.push_back({file, {}});
      wake_.notify_all();
      busy_ = false;
      continue;
    }
    lock.lock();
    busy_ = false;
  }
}

void CodeFiles::run_lines() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (lines_to_read_.empty()) {
      idle_.notify_all();
      wake_.wait(lock);
      continue;
    }
    const WantedLines wanted = std::move(lines_to_read_.front());
    lines_to_read_.pop_front();
    lines_busy_ = true;
    lock.unlock();
    if (wanted.addresses.empty())
      settle(*wanted.file);
    else
      read_lines(wanted);
    lock.lock();
    lines_busy_ = false;
  }
}

void CodeFiles::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_all();
  idle_.wait_for(lock, most, [&] {
    return files_to_read_.empty() && lines_to_read_.empty() && processes_.empty() && made_.empty() && !busy_ &&
           !lines_busy_;
  });
  hurry_ = false;
}

}  // namespace tailcap::capture::stacks
