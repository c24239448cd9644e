// As spin.h.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

func now() int64 {
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

//go:noinline
func render_invoice(sum uint64) uint64 {
	for i := uint64(0); i < 200_000; i++ {
		sum = (sum*31 + i) % 1000003
	}
	return sum
}

//go:noinline
func count_stock(sum uint64) uint64 {
	for i := uint64(0); i < 200_000; i++ {
		sum = (sum*17 + i) % 1000033
	}
	return sum
}

func turn(said *os.File, name string, function func(uint64) uint64, sum uint64) uint64 {
	begin := now()
	end := begin
	for end < begin+200_000_000 {
		sum = function(sum)
		end = now()
	}
	fmt.Fprintln(said, begin, end, name)
	return sum
}

func main() {
	said, err := os.Create(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	seconds, _ := strconv.ParseInt(os.Args[2], 10, 64)
	sum := uint64(1)
	for until := now() + seconds*1_000_000_000; now() < until; {
		sum = turn(said, "render_invoice", render_invoice, sum)
		sum = turn(said, "count_stock", count_stock, sum)
	}
	if sum == 1 {
		os.Exit(1)
	}
}
