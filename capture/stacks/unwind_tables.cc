#include "capture/stacks/unwind_tables.h"

#include <bpf/bpf.h>
#include <elf.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace tailcap::capture::stacks {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPieceRows = std::size_t{UNWIND_INDEX} * UNWIND_ROWS;
constexpr auto kRest = 100ms;    // a walk that still looks at what is removed ends in microseconds
constexpr int kTableTries = 20;  // the kernel gets memory for its map in small steps

bpf::unwind_part unused_part() {
  bpf::unwind_part part;
  std::memset(&part, 0xff, sizeof part);
  return part;
}

// The kernel's own code, mapped into every process: as this process has it.
symbols::UnwindRules rules_of_vdso() {
  const auto* image = reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR));
  if (!image) return {};
  Elf64_Ehdr head;
  std::memcpy(&head, image, sizeof head);
  // Its sections are in the image, and their list is the last thing in it.
  const std::size_t size = head.e_shoff + std::size_t{head.e_shentsize} * head.e_shnum;
  try {
    return symbols::UnwindRules(symbols::ElfFile::from_bytes(std::string(image, size), "[vdso]"));
  } catch (const std::exception&) {
    return {};
  }
}

// By how much addresses of the mapping exceed those in its file. False: not all of it can have rows.
bool bias_of(const UnwindTables::Mapping& mapping, std::uint64_t& bias) {
  if (!mapping.table) return false;
  const auto address = symbols::address_of(mapping.table->code, mapping.offset);
  if (!address) return false;
  bias = mapping.start - *address;
  return *address <= UINT32_MAX && mapping.end - mapping.start <= UINT32_MAX - *address;
}

std::vector<bpf::unwind_range> ranges_of(const std::vector<UnwindTables::Mapping>& mappings) {
  std::vector<bpf::unwind_range> ranges;
  for (const auto& mapping : mappings) {
    std::uint64_t bias = 0;
    if (!bias_of(mapping, bias)) {
      ranges.push_back({mapping.start, mapping.end, 0, 0, 0});
      continue;
    }
    const auto& pieces = mapping.table->pieces;
    for (std::size_t i = 0; i < pieces.size(); i++) {
      const std::uint64_t begin = i == 0 ? mapping.start : std::max(mapping.start, bias + pieces[i].begin);
      const std::uint64_t end =
          i + 1 == pieces.size() ? mapping.end : std::min(mapping.end, bias + pieces[i + 1].begin);
      if (begin < end) ranges.push_back({begin, end, bias, pieces[i].id, 0});
    }
  }
  return ranges;
}

}  // namespace

UnwindTables::UnwindTables(UnwindMaps maps) : maps_(maps) {
  if (wanted()) vdso_ = add(rules_of_vdso());
}

bool UnwindTables::put(std::uint32_t id, std::uint32_t part, const bpf::unwind_part& value) {
  const bpf::unwind_key key{id, part};
  for (int i = 0; i < kTableTries; i++) {
    if (bpf_map_update_elem(maps_.parts, &key, &value, BPF_ANY) == 0) {
      parts_++;
      return true;
    }
    if (errno != ENOMEM) return false;
  }
  return false;
}

// The parts that exist; a walk may be reading them.
void UnwindTables::retire(std::uint32_t id, std::uint32_t parts) { retired_.push_back({Clock::now(), id, parts}); }

void UnwindTables::remove_retired() {
  while (!retired_.empty() && Clock::now() - retired_.front().since >= kRest) {
    for (std::uint32_t part = 0; part < retired_.front().parts; part++) {
      const bpf::unwind_key key{retired_.front().id, part};
      if (bpf_map_delete_elem(maps_.parts, &key) == 0) parts_--;
    }
    retired_.pop_front();
  }
}

bool UnwindTables::make_room(std::size_t parts) {
  remove_retired();
  if (parts_ + parts <= UNWIND_PARTS) return true;
  std::erase_if(tables_, [&](const Table& table) {
    if (table.use_count() > 1) return false;
    for (const auto& piece : table->pieces) retire(piece.id, piece.parts);
    return true;
  });
  return false;  // there may be room soon
}

bool UnwindTables::put_rows(const std::vector<bpf::unwind_row>& rows, UnwindTable& table) {
  for (std::size_t from = 0; from < rows.size(); from += kPieceRows) {
    const std::size_t to = std::min(rows.size(), from + kPieceRows);
    UnwindTable::Piece& piece = table.pieces.emplace_back(UnwindTable::Piece{++last_id_, 0, rows[from].pc});
    bpf::unwind_part index = unused_part();
    for (std::size_t at = from; at < to; at += UNWIND_ROWS) {
      bpf::unwind_part part = unused_part();
      index.index[piece.parts] = rows[at].pc;
      std::copy(rows.begin() + static_cast<std::ptrdiff_t>(at),
                rows.begin() + static_cast<std::ptrdiff_t>(std::min(to, at + UNWIND_ROWS)), part.rows);
      if (!put(piece.id, ++piece.parts, part)) return false;
    }
    piece.parts++;  // the index
    if (!put(piece.id, 0, index)) return false;
  }
  return true;
}

UnwindTables::Table UnwindTables::add(const symbols::UnwindRules& rules) {
  if (!wanted() || rules.rows().empty()) return nullptr;
  auto table = std::make_shared<UnwindTable>();
  table->code = rules.code();
  const std::size_t parts = rules.rows().size() / UNWIND_ROWS + rules.rows().size() / kPieceRows + 2;
  if (!make_room(parts) || !put_rows(rules.rows(), *table)) {
    for (const auto& piece : table->pieces) retire(piece.id, piece.parts + 1);
    return nullptr;
  }
  tables_.push_back(table);
  return table;
}

void UnwindTables::set(std::uint32_t pid, const std::vector<Mapping>& mappings) {
  if (!wanted()) return;
  const auto ranges = ranges_of(mappings);
  const bool some =
      std::any_of(mappings.begin(), mappings.end(), [&](const Mapping& m) { return m.table && m.table != vdso_; });
  const std::size_t parts = (ranges.size() + UNWIND_RANGES - 1) / UNWIND_RANGES;
  if (!some) return forget(pid);
  List list{++last_id_, static_cast<std::uint32_t>(parts), {}};
  bool done = parts <= UNWIND_LISTS && make_room(parts);
  for (std::size_t i = 0; done && i < parts; i++) {
    bpf::unwind_part part = unused_part();
    const std::size_t from = i * UNWIND_RANGES, to = std::min(ranges.size(), from + UNWIND_RANGES);
    std::copy(ranges.begin() + static_cast<std::ptrdiff_t>(from), ranges.begin() + static_cast<std::ptrdiff_t>(to),
              part.ranges);
    done = put(list.id, static_cast<std::uint32_t>(i), part);
  }
  const bpf::unwind_process process{list.id, list.parts};
  if (!done || bpf_map_update_elem(maps_.processes, &pid, &process, BPF_ANY) != 0) {
    retire(list.id, list.parts);
    return forget(pid);
  }
  for (const auto& mapping : mappings) {
    if (mapping.table) list.tables.push_back(mapping.table);
  }
  List& known = lists_[pid];
  if (known.id != 0) retire(known.id, known.parts);
  known = std::move(list);
}

void UnwindTables::forget(std::uint32_t pid) {
  if (!wanted()) return;
  bpf_map_delete_elem(maps_.processes, &pid);
  const auto known = lists_.find(pid);
  if (known != lists_.end()) {
    retire(known->second.id, known->second.parts);
    lists_.erase(known);
  }
  remove_retired();
}

}  // namespace tailcap::capture::stacks
