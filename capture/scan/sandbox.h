// What a process gives up before it reads files of others.
#pragma once

namespace tailcap::capture::scan {

// An identity that nothing else on the machine has, no capabilities, nothing regained by executing programs, no memory
// image for others. The process may still make children. False: it could not give up all of it, and must not go on.
bool drop_privileges();
// Of the opener: the capabilities that opening and attaching need, as far as this process has them, and no others.
bool keep_opening_privileges();
// For a child that reads one file: limits of memory, time and descriptors, and no system call but those that reading
// and answering take. There is no way back. False: as above.
bool confine();

}  // namespace tailcap::capture::scan
