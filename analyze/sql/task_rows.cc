#include "analyze/sql/task_rows.h"

#include "analyze/model/machine/container.h"
#include "formats/fields/names.h"
#include "formats/machine.h"

namespace tailcap::sql {

using formats::known;

void insert_processes(Database& database, std::span<const model::ProcessFacts> processes,
                      const model::Containers& containers) {
  Inserter row(database, "process");
  for (const model::ProcessFacts& p : processes) {
    row.integer(p.upid);
    row.integer(formats::number_of(p.pid));
    row.integer(formats::machine_of(p.pid) + 1);
    row.text_or_null(p.name);
    row.text_or_null(p.command_line);
    row.text_or_null(p.executable);
    row.text_or_null(p.cgroup);
    const model::Container container = containers.of(p.cgroup);
    row.text_or_null(container.id);
    row.text_or_null(container.runtime);
    row.text_or_null(container.pod_uid);
    row.text_or_null(container.name_space);
    row.text_or_null(container.pod);
    row.text_or_null(container.name);
    row.integer_if(p.parent != 0, p.parent);
    row.time(p.start);
    row.time(p.end);
    row.integer_if(known(p.end), p.exit_code);
    row.end_row();
  }
}

void insert_threads(Database& database, std::span<const model::ThreadFacts> threads) {
  Inserter row(database, "thread");
  for (const model::ThreadFacts& t : threads) {
    row.integer(t.utid);
    row.integer(formats::number_of(t.tid));
    row.integer_if(t.process != 0, t.process);
    row.integer(formats::machine_of(t.tid) + 1);
    row.text_or_null(t.name);
    row.integer_if(t.process != 0, t.main ? 1 : 0);
    row.time(t.start);
    row.time(t.end);
    row.end_row();
  }
}

void ThreadStateRows::add(std::span<const model::ThreadInterval> intervals) {
  for (const model::ThreadInterval& i : intervals) {
    row_.integer(i.from);
    row_.integer(i.to - i.from);
    row_.null();  // cpu
    row_.integer(i.utid);
    row_.text(i.state);
    row_.text_or_null(i.function);
    row_.text_or_null(i.wait);
    row_.integer_if(i.waker != 0, i.waker);
    row_.integer_if(i.irq >= 0, i.irq);
    row_.boolean(i.throttled);
    row_.boolean(i.runnable_known);
    row_.boolean(i.ongoing);
    row_.integer_if(i.goroutine != 0, static_cast<std::int64_t>(i.goroutine));
    row_.end_row();
  }
}

void ProcessUseRows::add(formats::Time time, const formats::ProcessUse& use, model::Upid process) {
  row_.time(time);
  row_.integer_if(process != 0, process);
  row_.integer(use.cpu.count());
  row_.integer(static_cast<std::int64_t>(use.resident));
  row_.integer(static_cast<std::int64_t>(use.anonymous));
  row_.end_row();
}

void SampleRows::add(const formats::Event& event, const formats::Sample& sample, model::Utid thread,
                     std::string_view function, std::string_view caller) {
  row_.integer(formats::nanoseconds(event.time));
  row_.integer_if(thread != 0, thread);
  row_.text(formats::name_of(sample.kind));
  row_.integer(sample.weight);
  row_.integer_if(sample.kind == formats::SampleKind::allocation, static_cast<std::int64_t>(sample.value));
  row_.text_or_null(function);
  row_.text_or_null(caller);
  row_.text_or_null(sample.user);
  row_.text_or_null(sample.kernel);
  row_.text(formats::name_of(sample.end));
  row_.integer_if(event.goroutine != 0, static_cast<std::int64_t>(event.goroutine));
  row_.end_row();
}

}  // namespace tailcap::sql
